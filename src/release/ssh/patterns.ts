/**
 * Returns whether a text matches a list of patterns, separated by commas: it matches at least one pattern,
 * and no pattern that begins with `!`. `*` stands for any characters, `?` for one (ssh_config(5), PATTERNS).
 */
export function matchesPatterns(text: string, list: string): boolean {
  let matched = false;
  for (const entry of list.split(',')) {
    const negated = entry.startsWith('!');
    if (!matches(text, negated ? entry.slice(1) : entry)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

/**
 * Returns whether a text matches a pattern, in linear space and at most quadratic time, whatever the pattern.
 */
function matches(text: string, pattern: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let resumed = 0;
  while (at < text.length) {
    if (pattern[place] === '*') {
      star = place++;
      resumed = at;
    } else if (pattern[place] === '?' || (place < pattern.length && pattern[place] === text[at])) {
      place++;
      at++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++resumed;
    } else {
      return false;
    }
  }
  while (pattern[place] === '*') place++;
  return place === pattern.length;
}
