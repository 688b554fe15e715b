const SPECIAL = /[&<>'"\t\n\r]/;
const EACH_SPECIAL = /[&<>'"\t\n\r]/g;

/** An attribute's value as it must stand between single quotes, so that the reader gets exactly `value`. */
export const escapeAttribute = (value: string): string =>
  SPECIAL.test(value) ? value.replaceAll(EACH_SPECIAL, (special) => `&#${special.charCodeAt(0)};`) : value;
