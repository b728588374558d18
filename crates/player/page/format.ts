/** Numbers as people read them. */

/** A position or duration in seconds as `3:07` or `1:02:03`. Not-a-number and negatives count as zero. */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) && seconds > 0 ? Math.floor(seconds) : 0;
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Bytes in decimal units, as network operators bill them: `0 B`, `640 kB`, `12.4 MB`, `1.20 GB`. */
export function bytes(count: number): string {
  if (count < 1000) return `${Math.round(count)} B`;
  if (count < 999_500) return `${Math.round(count / 1000)} kB`;
  if (count < 99_950_000) return `${(count / 1e6).toFixed(1)} MB`;
  if (count < 999_500_000) return `${Math.round(count / 1e6)} MB`;
  return `${(count / 1e9).toFixed(2)} GB`;
}

/** A bit rate in decimal units: `96 kbit/s`, `1.8 Mbit/s`. */
export function bitRate(bitsPerSecond: number): string {
  if (bitsPerSecond < 999_500) return `${Math.round(bitsPerSecond / 1000)} kbit/s`;
  return `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
}

/** What watching `seconds` at a bit rate downloads, in bytes. */
export function cost(bitsPerSecond: number, seconds: number): number {
  return (bitsPerSecond * seconds) / 8;
}

/** Whole minutes of a duration, at least one. */
export function minutes(milliseconds: number): number {
  return Math.max(1, Math.round(milliseconds / 60_000));
}

/** Facts one after the other; where the line ends none begins with the dot. */
export function inLine(facts: readonly (string | false | undefined)[]): string {
  return facts.filter(Boolean).join('\u00a0· ');
}
