import Fastify from 'fastify';
import { connect, Refused } from 'tallystick';
import carts from './modules/carts.ts';

await using tally = await connect();
const app = Fastify();

interface Cart {
  readonly Params: { readonly cart: string };
}

app.get<Cart>('/carts/:cart', ({ params }) => tally.agent(carts, params.cart).show({}));

app.post<Cart & { readonly Body: { readonly article: string; readonly count: number } }>(
  '/carts/:cart/items',
  ({ params, body }) => tally.agent(carts, params.cart).add(body),
);

app.post<Cart>('/carts/:cart/check-out', ({ params }) => tally.agent(carts, params.cart).check_out({}));

/** A rejection of the module is 409; an input that does not fit its schema is 400. */
app.setErrorHandler((error, _request, reply) => {
  if (!(error instanceof Refused)) return reply.send(error);
  const { code, message } = error;
  return reply.status(code === 'PAYLOAD_INVALID' ? 400 : 409).send({ code, message });
});

const address = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) });
console.log(`the shop is open at ${address}`);

const closing = new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
});
await closing;
await app.close();
