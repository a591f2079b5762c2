/** One handler for each request of the catalogue, under its name. */
import type { RequestKind } from '@0fc/protocol';
import type { Handler } from './context.js';
import { leaveRequest, transferAcceptance, transferOffer } from './departures.js';
import { claim, invite, joinConfirm, joinDrop, joinReply, joinRequest, revoke } from './join-commands.js';
import { keyGrant, needKey, prekey, prekeys } from './prekeys-and-grants.js';
import { ack, append, signal } from './messages.js';
import { restore } from './restore.js';
import { chain, create, open } from './rooms.js';
import { roster, rotate } from './roster-changes.js';

export const HANDLERS: { readonly [K in RequestKind]: Handler<K> } = {
  create,
  open,
  chain,
  roster,
  restore,
  leaveRequest,
  transferOffer,
  transferAcceptance,
  invite,
  revoke,
  claim,
  joinRequest,
  joinReply,
  joinConfirm,
  joinDrop,
  append,
  ack,
  rotate,
  prekey,
  prekeys,
  needKey,
  keyGrant,
  signal,
};
