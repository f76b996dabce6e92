const pattern =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Milliseconds since the epoch of a date-time of RFC 3339; undefined for anything else, as a 30th of February. */
export function parseRfc3339(text: string): number | undefined {
  const [, year, month, day] = pattern.exec(text) ?? [];
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  // Date.parse takes a 30th of February for the 2nd of March.
  if (!(Number(day) <= lastDay)) return undefined;
  const ms = Date.parse(text);
  return Number.isFinite(ms) ? ms : undefined;
}
