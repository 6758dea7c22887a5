/** A server of Fastify with one route that returns a constant: the least that an answer over HTTP costs. */
import Fastify from 'fastify';
import { answerQuestions, settingOf } from '../../system/processes/program.js';

export type ConstantQuestions = { readonly url: { readonly ask: null; readonly answer: string } };

const { body } = settingOf<{ readonly body: string }>();
const app = Fastify();
app.get('/constant', (_request, reply) => reply.type('application/json; charset=utf-8').send(body));
const url = await app.listen({ host: '127.0.0.1', port: 0 });

answerQuestions<ConstantQuestions>({ url: () => url });
