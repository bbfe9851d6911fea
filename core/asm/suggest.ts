/** "Did you mean": the nearest known word to an unknown one. */

/** Most candidates that are compared letter by letter: a text may define any number of names that are alike. */
const MAX_COMPARED = 1000;

/**
 * The candidate with the smallest edit distance to `word` (at most a third of its length, 3 at most,
 * and 1 for words of up to four letters); undefined when none is near. Case does not count. Of more than a thousand that look
 * alike the first ones are compared.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const lower = word.toLowerCase();
  if (lower.length === 0 || lower.length > 80) return undefined;
  const letters = lettersOf(lower);
  let best: string | undefined;
  let longer: string | undefined;
  let compared = 0;
  let limit = lower.length <= 4 ? 1 : Math.min(3, Math.floor(lower.length / 3));
  for (const candidate of candidates) {
    // `bpf_map_lookup` for `bpf_map_lookup_elem`: the shortest that goes on from what is there
    if (lower.length >= 5 && candidate.length > lower.length && candidate.toLowerCase().startsWith(lower)) {
      if (longer === undefined || candidate.length < longer.length) longer = candidate;
    }
    if (Math.abs(candidate.length - lower.length) > limit || candidate === word) continue;
    // one edit changes at most two letters of the set: most words need no closer look
    if (bitCount(letters ^ lettersOf(candidate)) > 2 * limit) continue;
    if (++compared > MAX_COMPARED) break;
    const distance = editDistance(lower, candidate.toLowerCase(), limit);
    if (distance < limit || (distance === limit && best === undefined)) {
      best = candidate;
      limit = distance;
      if (distance === 0) break;
    }
  }
  return limit > 1 && longer !== undefined ? longer : (best ?? longer);
}

/** Which letters a word has, as bits; case does not count. */
function lettersOf(word: string): number {
  let bits = 0;
  for (let i = 0; i < word.length; i++) bits |= 1 << (word.charCodeAt(i) & 31);
  return bits;
}

function bitCount(bits: number): number {
  let n = 0;
  for (let left = bits; left !== 0; left &= left - 1) n++;
  return n;
}

/** Damerau-Levenshtein (adjacent swaps count one) of two short words; gives up above `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let smallest = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1);
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
      smallest = Math.min(smallest, cost);
    }
    if (smallest > limit) return limit + 1;
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}
