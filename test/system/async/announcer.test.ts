import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Announcer } from '../../../system/async/announcer.js';

const announcer = () => {
  const heard: string[] = [];
  const news = new Announcer<{ said: [word: string, times: number]; done: [] }>((name, thrown) => {
    heard.push(`${name}: ${(thrown as Error).message}`);
  });
  return { news, heard };
};

describe('an announcer', () => {
  it('tells all listeners of a name at once, in the order in which they began to listen', () => {
    const { news, heard } = announcer();
    news.on('said', (word, times) => heard.push(`first ${word} ${times}`));
    news.on('done', () => heard.push('done'));
    news.on('said', (word) => heard.push(`second ${word}`));
    news.announce('said', 'hello', 2);
    assert.deepEqual(heard, ['first hello 2', 'second hello']);
  });

  it('a listener that throws keeps the news from no other, and what it threw is told', () => {
    const { news, heard } = announcer();
    news.on('done', () => {
      throw new Error('no');
    });
    news.on('done', () => heard.push('heard'));
    news.announce('done');
    assert.deepEqual(heard, ['done: no', 'heard']);
  });

  it('a listener that ends its listening hears nothing more, and the others miss nothing', () => {
    const { news, heard } = announcer();
    const end = news.on('done', () => {
      heard.push('once');
      end();
    });
    news.on('done', () => heard.push('each time'));
    news.announce('done');
    news.announce('done');
    assert.deepEqual(heard, ['once', 'each time', 'each time']);
  });

  it('announces to nobody', () => {
    const { news, heard } = announcer();
    news.announce('done');
    assert.deepEqual(heard, []);
  });
});
