import { facetKey } from './keys.js';
import type { Row } from './records.js';

/**
 * The keys by which queries find a task without looking at all others: group, tags, outcome other
 * than success, dead letter. State has databases of its own. Type and success have no index: most
 * tasks would be in it.
 */
export function facetsOf(row: Row, sequence: number): Buffer[] {
  const { group, tags = [], outcome, deadLetter } = row;
  const keys = [...new Set(tags)].map((tag) => facetKey('tag', tag, sequence));
  if (group !== undefined) keys.push(facetKey('group', group, sequence));
  if (outcome !== undefined && outcome !== 'success') {
    keys.push(facetKey('outcome', outcome, sequence));
  }
  if (deadLetter) keys.push(facetKey('deadLetter', '', sequence));
  return keys;
}
