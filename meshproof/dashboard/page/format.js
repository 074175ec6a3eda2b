// Numbers for people. An unknown value is a dash, never a zero.

const NONE = "–";
const isKnown = (value) => value !== null && value !== undefined;

export function rate(value) {
  if (!isKnown(value)) return NONE;
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(value ? 2 : 0);
}

export function percent(value, digits = 1) {
  if (!isKnown(value)) return NONE;
  return `${Number.isInteger(value) ? value : value.toFixed(digits)} %`;
}

export function ms(value) {
  if (!isKnown(value)) return NONE;
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ms`;
}

export function bytes(value) {
  return isKnown(value) ? `${(value / 1048576).toFixed(0)} MiB` : NONE;
}

export function clock(seconds, fraction = 0) {
  const time = new Date(seconds * 1000);
  const text = time.toLocaleTimeString([], { hour12: false });
  return fraction ? `${text}.${String(time.getMilliseconds()).padStart(3, "0").slice(0, fraction)}` : text;
}

/** svcb.payments.svc.cluster.local -> svcb */
export const short = (service) => service.split(".")[0];
