/** Why nobody who answers is the relay that is known, and none of its signed successors: only the user goes on (G13). */
const OTHER_RELAY: ReadonlySet<string> = new Set([
  'RELAY_KEY_MISMATCH',
  'RELAY_KEY_LEFT',
  'RELAY_SUCCESSION_FORKED',
  'RELAY_SUCCESSION_INVALID',
]);

export const isOtherRelay = (code: string): boolean => OTHER_RELAY.has(code);
