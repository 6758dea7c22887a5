/** Open conversations looked up from any process; what a program outside imports as `tallystick/conversations`. */
export type { OpenConversation } from '../../schemas/conversation.js';
export {
  type ConversationListOptions,
  type ConversationPage,
  Conversations,
  openConversations,
} from './open-conversations.js';

/** The types that the signatures above need, for a program that names them. */
export type { OpenConversationSchema } from '../../schemas/conversation.js';
export type { ERRORS, ErrorCode, ErrorRow, FaultStatus } from '../../schemas/error-table.js';
export type { Fault } from '../../schemas/errors.js';
export type { AtLeastOptions } from '../lmdb/reached.js';
export type { IndexPosition } from './index-files.js';
export type { UncausedStretch } from './uncaused-events.js';
