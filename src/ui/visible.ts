/**
 * Text as it may stand on a terminal: no escape sequences, no control characters, nothing that turns the direction of
 * reading. Names in a bundle are written by whoever made it; line breaks are ours (`CONFIG_INVALID` lists lines).
 */
export function visible(text: string): string {
  return text
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "")
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}
