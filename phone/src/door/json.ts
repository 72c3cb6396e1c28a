/**
 * JSON as the wire formats allow it: an object, with no key twice.
 *
 * JSON.parse takes the last of two equal keys, another reader may take the first; a document that two readers
 * understand differently is refused, so the text is walked once more for its keys.
 */

export type Fields = { readonly [key: string]: unknown };

/** The object, or null for anything that is not one object with distinct keys. */
export function readObject(text: string): Fields | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return hasTwins(text) ? null : (value as Fields);
}

/** Whether any object in *text*, which is valid JSON, has a key twice. Its own stack: depth is bounded by memory. */
function hasTwins(text: string): boolean {
  const open: (Set<string> | null)[] = []; // null for an array
  let keyNext = false;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i];
    if (sign === '"') {
      const from = i++;
      while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      if (!keyNext) continue;
      const keys = open.at(-1)!;
      const key = JSON.parse(text.slice(from, i + 1)) as string;
      if (keys.has(key)) return true;
      keys.add(key);
      keyNext = false;
    } else if (sign === "{") {
      open.push(new Set());
      keyNext = true;
    } else if (sign === "[") {
      open.push(null);
      keyNext = false;
    } else if (sign === "}" || sign === "]") {
      open.pop();
      keyNext = false;
    } else if (sign === ",") keyNext = open.at(-1) !== null;
  }
  return false;
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
