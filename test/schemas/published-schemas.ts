/** `schemas/json/` of the sources, as seen from `dist/test/schemas/`. */
export const publishedSchemas = new URL('../../../schemas/json/', import.meta.url);
