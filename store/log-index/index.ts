/** Open conversations looked up from any process; what a program outside imports as `tallystick/conversations`. */
export type { OpenConversation } from '../../schemas/conversation.js';
export {
  type ConversationListOptions,
  type ConversationPage,
  Conversations,
  openConversations,
} from './open-conversations.js';
