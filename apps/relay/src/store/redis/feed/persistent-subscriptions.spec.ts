/** Channels that stay: whatever is lost or refused is sought again until it is given up. */
import { expect, test } from '@jest/globals';
import { PersistentSubscriptions } from './persistent-subscriptions.js';
import type { Subscriber, SubscriberEvents } from './subscriber.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a channel that is refused or lost is sought again, and one that is left is not', async () => {
  const due: (() => void)[] = [];
  const asked: string[] = [];
  const left: string[] = [];
  let refusals = 1;
  const heard: { events?: SubscriberEvents } = {};
  const subscriber: Subscriber = {
    alive: true,
    listen: (events) => {
      heard.events = events;
    },
    subscribe: async (channel) => {
      asked.push(channel);
      if (refusals-- > 0) throw new Error('down');
    },
    unsubscribe: (channel) => void left.push(channel),
    probe: async () => undefined,
    close: () => undefined,
  };
  const kept = new PersistentSubscriptions(subscriber, {
    after: (_, run) => {
      due.push(run);
      return () => undefined;
    },
  });
  due.length = 0; // what it does now and then is not what this is about
  const messages: string[] = [];
  kept.on('smessageBuffer', (channel, message) =>
    messages.push(`${channel.toString()} ${message.toString()}`),
  );
  kept.ssubscribe('a');
  await turn();
  expect(due).toHaveLength(1);
  due.shift()?.();
  heard.events?.message('a', Buffer.from('1'));
  heard.events?.lost(['a']);
  await turn();
  expect(asked).toEqual(['a', 'a', 'a']);
  expect(messages).toEqual(['a 1']);
  kept.sunsubscribe('a');
  heard.events?.lost(['a']);
  expect(asked).toHaveLength(3);
  expect(left).toEqual(['a']);
  kept.close();
});
