/** When a room key goes (docs/protocol.md section 7, G8). */
import type { RoomState } from './state.js';

/**
 * A room key goes when the rotation after the one that ended its epoch has been
 * processed (G8), unless a join that was answered under it still needs it.
 */
export function forgetKeys(state: RoomState): void {
  const needed = new Set<number>();
  for (const invite of state.invites.values()) {
    if (invite.stage !== 'replied' && invite.stage !== 'confirmed') continue;
    for (const reply of invite.replies) needed.add(reply.epoch);
  }
  const { core } = state;
  core.keys = core.keys.filter((key) => key.epoch >= core.epoch - 1 || needed.has(key.epoch));
}
