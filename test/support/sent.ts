import type { TimelineMessage } from '@0fc/client/api';

/** States of a line that the log does not hold: on its way, asking first (G18), or left over when its room ended. */
const UNSENT: readonly TimelineMessage['state'][] = ['sending', 'waiting', 'unsent'];

export const isSent = ({ state }: Pick<TimelineMessage, 'state'>): boolean => !UNSENT.includes(state);
