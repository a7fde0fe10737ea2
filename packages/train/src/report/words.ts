/** Numbers and paths as people read them. */

/** Seconds as people say them, kept on one line: `48 s`, `4 min 08 s`, `2 h 05 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const parts = hours
    ? [hours, 'h', two(minutes), 'min']
    : minutes
      ? [minutes, 'min', two(whole % 60), 's']
      : [whole, 's'];
  return parts.join('\u00a0');
}

/** Three significant digits, and thousands in groups; `2e-7` for what is very small. */
export function short(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-3) return Number(value.toPrecision(2)).toExponential();
  return Number(value.toPrecision(3)).toLocaleString('en');
}

/** A whole number in groups of thousands. */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** The end of a path: what tells one folder from another, and nothing of the machine. */
export function placeName(path: string): string {
  const parts = path.split(/[\\/]/).filter((part) => part !== '');
  return parts.length > 2 ? `…/${parts.slice(-2).join('/')}` : path;
}

/** With a large first letter. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `checkpointEvery` as `Checkpoint every`. */
export function spaced(key: string): string {
  const words = key.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return capital(words);
}
