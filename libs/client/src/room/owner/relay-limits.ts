/**
 * Checks commands of the owner against the limits that the relay publishes in `hello` (docs/protocol.md section 4),
 * before anything is signed.
 */
import { ERROR_CODES, LIMITS, type EventBody, type RoomSettings } from '@0fc/protocol';
import { ClientError } from '../../contract/errors.js';
import { HOUR_MS, settingsEntries } from '../log/settings.js';
import type { RoomSnapshot } from '../state/draft.js';
import type { OwnerInvite } from '../../vault/records.js';

type Published = Pick<
  EventBody<'hello'>,
  'maxMembers' | 'invitesOpen' | 'settingsEntries' | 'settingsPerHour'
>;

export class RelayLimits {
  /** Before the first `hello` nothing is refused here: the relay decides. */
  #published: Published = {
    maxMembers: LIMITS.maxMembers,
    invitesOpen: LIMITS.invitesOpen,
    settingsEntries: LIMITS.settingsEntries,
    settingsPerHour: 1,
  };

  publish(hello: Published): void {
    this.#published = hello;
  }

  /**
   * Why the relay refuses such a change of the settings, now or later; null: it does not. Only an increase can exceed
   * a limit.
   */
  settingsRefusal(snapshot: RoomSnapshot, wished: RoomSettings): ClientError | null {
    const { settingsEntries: most, maxMembers } = this.#published;
    if (settingsEntries(snapshot) >= most) return new ClientError(ERROR_CODES.SETTINGS_LIMIT, { max: most });
    const places = Math.max(snapshot.roster.settings.maxMembers, maxMembers);
    return wished.maxMembers > places
      ? new ClientError(ERROR_CODES.OUT_OF_RANGE, { min: 2, max: places })
      : null;
  }

  /** Milliseconds until the relay accepts another change of the settings. `now`: Unix ms. */
  settingsWait({ core }: RoomSnapshot, now: number): number {
    const recent = core.settingsPlaced.filter((time) => time > now - HOUR_MS && time <= now);
    const oldest = recent.at(-this.#published.settingsPerHour);
    return oldest === undefined ? 0 : oldest + HOUR_MS - now;
  }

  /** Why the relay refuses one more invite; null: it does not. `now`: Unix ms. */
  inviteRefusal(invites: readonly OwnerInvite[], now: number): ClientError | null {
    const { invitesOpen: max } = this.#published;
    const running = invites.filter(
      ({ stage, expires }) => stage !== 'dropping' && (stage !== 'open' || expires > now),
    );
    return running.length < max ? null : new ClientError(ERROR_CODES.INVITE_LIMIT, { max });
  }
}
