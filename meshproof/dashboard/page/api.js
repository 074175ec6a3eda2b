// Asks the dashboard's own server. Raises Error with the words that the mesh said.

const token = document.querySelector('meta[name="token"]').content;

export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const search = new URLSearchParams(given).toString();
  return answered(await fetch(search ? `${path}?${search}` : path));
}

export async function post(path, body = {}) {
  return answered(await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Meshproof-Token": token },
    body: JSON.stringify(body),
  }));
}

async function answered(answer) {
  const text = await answer.text();
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    throw Object.assign(new Error(text || `HTTP ${answer.status}`), { kind: "MeshproofError" });
  }
  if (!answer.ok) throw Object.assign(new Error(found.message), { kind: found.error });
  return found;
}
