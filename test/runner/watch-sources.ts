import { once } from 'node:events';
import { relative, sep } from 'node:path';
import { watch } from 'chokidar';

/** An editor writes several files of one save in this time. */
const SETTLE_MS = 200;

const NOT_SOURCES = /(?:^|\/)(?:node_modules|dist|\.git)(?:\/|$)/;

/** The files below the root that change, from now on: all that changed since the last answer, as paths from the root. */
export async function* watchSources(
  root: string,
  onReady: () => void = () => undefined,
): AsyncGenerator<readonly string[], void, void> {
  const fromRoot = (path: string): string => relative(root, path).split(sep).join('/');
  const watcher = watch(root, {
    ignoreInitial: true,
    ignored: (path) => NOT_SOURCES.test(fromRoot(path)),
  });
  const changed = new Set<string>();
  watcher.on('all', (event, path) => {
    if (event !== 'addDir' && event !== 'unlinkDir') changed.add(fromRoot(path));
  });
  try {
    await once(watcher, 'ready');
    onReady();
    for (;;) {
      if (changed.size === 0) await once(watcher, 'all');
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const files = [...changed].toSorted();
      changed.clear();
      if (files.length > 0) yield files;
    }
  } finally {
    await watcher.close();
  }
}
