/** Replaces `[start, end)` of a text; an insertion has `start === end`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Makes all edits at once: the offsets of each are those of the original text. They must not overlap. */
export function splice(text: string, edits: readonly Edit[]): string {
  const inOrder = edits.map((edit, at) => ({ edit, at })).sort((a, b) => a.edit.start - b.edit.start || a.at - b.at);
  let done = 0;
  const parts = inOrder.map(({ edit }) => {
    const part = text.slice(done, edit.start) + edit.text;
    done = edit.end;
    return part;
  });
  return parts.join("") + text.slice(done);
}

/** A scalar that every YAML reader takes for this string, quoted as the one that it replaces. */
export function scalar(value: string, like = ""): string {
  if (like.startsWith("'")) return `'${value.replaceAll("'", "''")}'`;
  const plain = /^[A-Za-z][\w./:@+-]*$/.test(value) && !value.endsWith(":") && !reserved.test(value);
  return plain && !like.startsWith('"') ? value : JSON.stringify(value);
}

const reserved = /^(null|true|false|yes|no|on|off|y|n)$/i;
