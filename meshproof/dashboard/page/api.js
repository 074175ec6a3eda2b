// Requests to the dashboard's own server. Throws an Error with the mesh's own message.

const token = document.querySelector('meta[name="token"]').content;

export async function get(path, query = {}) {
  const parameters = Object.entries(query).filter(([, value]) => value !== "");
  const search = new URLSearchParams(parameters).toString();
  return readResponse(await fetch(search ? `${path}?${search}` : path));
}

export async function post(path, body = {}) {
  return readResponse(await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Meshproof-Token": token },
    body: JSON.stringify(body),
  }));
}

async function readResponse(response) {
  const text = await response.text();
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    throw Object.assign(new Error(text || `HTTP ${response.status}`), { kind: "MeshproofError" });
  }
  if (!response.ok) throw Object.assign(new Error(content.message), { kind: content.error });
  return content;
}
