/** Figures for people. Base 1000 throughout, as carriers bill. */

const STEPS = ['', 'k', 'M', 'G', 'T', 'P'];

function scaled(value: number): [string, string] {
  let step = 0;
  while (value >= 999.5 && step < STEPS.length - 1) {
    value /= 1000;
    step += 1;
  }
  const digits = value >= 99.95 || step === 0 ? 0 : value >= 9.995 ? 1 : 2;
  return [value.toFixed(digits), STEPS[step] ?? ''];
}

/** `9.42` and `Gbit/s`. */
export function bits(bps: number): [string, string] {
  const [number, step] = scaled(bps);
  return [number, `${step}bit/s`];
}

export function rate(bps: number): string {
  return bits(bps).join(' ');
}

/** Beside an axis: `2.5 G`. */
export function short(value: number): string {
  const [number, step] = scaled(value);
  return `${Number(number)} ${step}`.trim();
}

export function bytes(count: number): string {
  const [number, step] = scaled(count);
  return `${number} ${step}B`;
}

/** With thin spaces between thousands, and every digit. */
export function whole(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** Never rounded up: what is not whole does not read 100 %. */
export function percent(share: number, digits = 1): string {
  const factor = 10 ** digits;
  // A hair's breadth for what a double cannot hold: 0.29 is 28.999….
  const floored = Math.floor(share * 100 * factor + 1e-6) / factor;
  return `${share >= 1 ? 100 : Math.min(floored, 100 - 1 / factor).toFixed(digits)} %`;
}

const two = (count: number) => String(count).padStart(2, '0');

/** `1:02:03` or `12:34`. */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  const [hours, minutes] = [Math.floor(left / 3600), Math.floor(left / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(left % 60)}` : `${two(minutes)}:${two(left % 60)}`;
}

/** Where plans are for that name no other zone: seconds east of Greenwich. Lessons, nodes and pupils' pages go by it. */
const CHINA_S = 28_800;

/** The time of day `zone` seconds east of Greenwich; without one, in China: where the reader's device is set to says nothing of a node. */
export function clock(ms: number, zone: number | null, seconds = false): string {
  return new Date(ms + (zone ?? CHINA_S) * 1000).toISOString().slice(11, seconds ? 19 : 16);
}
