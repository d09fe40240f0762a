/**
 * What no text of others may do to a reader: control characters, what turns the direction of reading (`U+202E` and its
 * kin, the Arabic letter mark), what shows nothing (`U+200B`, a byte order mark, letters of Unicode's tags), line breaks
 * that are none to most programs, and halves of surrogate pairs. Line feed and tabulator are the caller's business.
 * https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
 */
export const unseen = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Text of others (a registry's body, helm's stderr) before it enters a failure or an event: no control characters, no
 * credentials, no more than `limit` characters. Done where it enters, so that no printer can forget it.
 */
export function sanitize(text: string, limit = 600): string {
  const plain = redact(text)
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "")
    .replace(unseen, "")
    .replace(/\s+/g, " ")
    .trim();
  // Half of a surrogate pair at the end would be no text.
  return plain.length <= limit ? plain : `${plain.slice(0, limit).replace(/[\ud800-\udbff]$/, "")}…`;
}

/**
 * Values that look like secrets wherever they stand: URL user info, Authorization headers, tokens, password fields.
 * Strangers decide what is in these texts, so no pattern may look at one stretch more than once: each begins only where
 * its kind of run begins.
 */
export function redact(text: string): string {
  return text
    .replace(/(?<![a-z0-9+.-])([a-z0-9+.-]+:\/\/)[^/\s?#]*@/gi, "$1***@")
    .replace(/\b(authorization["']?\s*[:=]\s*["']?)(basic|bearer)\s+[^\s"',]+/gi, "$1$2 ***")
    .replace(/\b(basic|bearer)\s+[A-Za-z0-9+/=_.-]{8,}/gi, "$1 ***")
    .replace(/(?<![\w-])[\w-]+(?:\.[\w-]*){2,}/g, withoutToken)
    .replace(
      /(["']?(?:password|passwd|secret|token|identitytoken|access_token|auth)["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;&}]+)/gi,
      (all: string, name: string, value: string, at: number, whole: string) =>
        isVersion.test(value) && /^(?:secret|token|auth):$/i.test(name) && /[a-z0-9-]/i.test(whole.charAt(at - 1))
          ? all
          : `${name}***`,
    )
    .replace(/([?&](?:access_token|token|signature|sig|x-amz-signature|x-amz-credential)=)[^&\s"']+/gi, "$1***");
}

/** `plugins/key-auth:2.0.1` is the name of a plugin with its tag, and no field with what logs in. */
const isVersion = /^v?\d+(?:\.\d+)+(?:-[a-z0-9]+(?:\.[a-z0-9]+)*)?[^\p{L}\p{N}]*$/u;

/** A JSON web token is three parts with dots between them, the first of which is `{"…` in base64url. */
function withoutToken(dotted: string): string {
  const at = dotted.search(/\beyJ/);
  return at < 0 ? dotted : `${dotted.slice(0, at)}***`;
}
