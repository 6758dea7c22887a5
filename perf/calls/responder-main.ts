/** The process that replies to plain requests on a server without a broker: what a call costs at the least. */
import { connect } from 'nats';
import { answerQuestions, settingOf } from '../../system/processes/program.js';

export type ResponderQuestions = {
  /** Answers when the server has the subscription. */
  readonly pid: { readonly ask: null; readonly answer: number };
};

const { url } = settingOf<{ readonly url: string }>();
const nc = await connect({ servers: url });
let balance = 0;
nc.subscribe('call.accounts.deposit.*', {
  callback: (error, message) => {
    if (error !== null) throw error;
    const { amount } = message.json<{ readonly amount: number }>();
    balance += amount;
    message.respond(JSON.stringify({ status: 'ok', data: { balance } }));
  },
});

answerQuestions<ResponderQuestions>({
  pid: async () => {
    await nc.flush();
    return process.pid;
  },
});
