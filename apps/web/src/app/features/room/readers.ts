import type { MemberView, TimelineItem, TimelineMessage } from '@0fc/client/api';

/** What is known of one name and one message. */
export interface Reader {
  readonly name: string;
  /** members of this name, who cannot be told apart here; empty for somebody who has left */
  readonly members: readonly MemberView[];
  /** how many of them have read the message */
  readonly read: number;
  /** the newest message on the page that all of the name have read; null: none, or of one of several */
  readonly upTo: TimelineMessage | null;
}

export interface Readers {
  readonly read: readonly Reader[];
  readonly unread: readonly Reader[];
}

/** As a message's readers are named: by the fingerprint where there is no name. */
const nameOf = ({ name, fingerprint }: MemberView): string => name || fingerprint;

const countOf = (names: readonly string[], name: string): number =>
  names.filter((other) => other === name).length;

/** Who has read `message` and who has not, as far as the read markers on this device say (section 6). */
export function readersOf(
  message: TimelineMessage,
  members: readonly MemberView[],
  items: readonly TimelineItem[],
): Readers {
  const others = members.filter(({ memberId }) => memberId !== message.sender);
  const names = [...new Set([...others.map(nameOf), ...message.readers])];
  const readers = names.map((name): Reader => {
    const named = others.filter((member) => nameOf(member) === name);
    const upTo = named.length > 1 ? undefined : items.findLast((item) => hasRead(item, name));
    const read = countOf(message.readers, name);
    return { name, members: named, read, upTo: upTo?.type === 'message' ? upTo : null };
  });
  return {
    read: readers.filter(({ read }) => read > 0),
    unread: readers.filter(({ read }) => read === 0),
  };
}

const hasRead = (item: TimelineItem, name: string): boolean =>
  item.type === 'message' && !item.deleted && item.readers.includes(name);
