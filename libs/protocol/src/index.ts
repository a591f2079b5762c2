export * from './bytes.js';
export * from './limits.js';
export * from './text.js';
export * from './times.js';
export * from './errors.js';
export * from './codec.js';
export * from './schema.js';
export * from './padding.js';
export * from './content.js';
export * from './bodies.js';
export * from './entries.js';
export {
  decodeFrame, decodeSessionFrame, encodeFrame, encodeMessage, encodeSessionFrame, FRAME_EVENT, FRAME_TYPES, LINK_VERSION,
  sessionMessage, type FrameContent, type FrameType, type SessionMessage, type WireError,
} from './frames.js'; // prettier-ignore
export * from './feed-frames.js';
export * from './catalogue.js';
export { COMMON_ERRORS, ROLES, type EventRow, type RequestRow, type Role } from './catalogue/define.js';
export { DROP_REASONS, publishedPrekey } from './catalogue/shapes.js';
export type {
  JoinState,
  OpenReply,
  OwnerJoin,
  Placed,
  PublishedPrekey,
  RotationCommand,
} from './catalogue/shapes.js';
export { catalogueSection } from './table.js';
