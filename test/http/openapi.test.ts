import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { buildApp } from '../../http/http-app.js';
import { openApiDocument } from '../../http/openapi/document.js';
import { PATHS } from '../../http/openapi/paths.js';
import { PrincipalLinks } from '../../http/requests/principal-links.js';

/** `/v1/agents/:module/:agent` as OpenAPI writes it. */
const asTemplate = (route: string): string => route.replace(/:(\w+)(?:\([^)]*\))?/g, '{$1}');

describe('the OpenAPI document', () => {
  test('is valid', async () => {
    const document = structuredClone(openApiDocument('1.2.3'));
    const { valid, errors } = await new Validator().validate(document as Record<string, unknown>);
    assert.ok(valid, JSON.stringify(errors));
  });

  test('has each route that is served, and no other', async () => {
    const links = new PrincipalLinks({ natsUrl: 'nats://127.0.0.1:1' });
    const served: string[] = [];
    const app = buildApp(links, {
      onRoute: ({ method, url }) => {
        if (method !== 'HEAD') served.push(`${String(method).toLowerCase()} ${asTemplate(url)}`);
      },
    });
    await app.ready();
    const told = PATHS.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(served.sort(), told.sort());
    await app.close();
    await links.close();
  });

  test('names each operation once', () => {
    assert.equal(new Set(PATHS.map(({ id }) => id)).size, PATHS.length);
  });
});
