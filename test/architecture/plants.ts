/**
 * A small tree with the shape of the repository: first one in which every import is allowed, then the
 * same with one offending file per rule.
 *
 * Only the imports matter to the rules, so the files hold nothing else. The libraries' package.json are
 * the real ones: their exports decide what `@0fc/…` means.
 */
import { cp, mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { repositoryRoot } from './cruise.js';

/** path → what it imports */
type Tree = Readonly<Record<string, readonly string[]>>;

/** What the layout allows; nothing here may be reported. */
export const allowed: Tree = {
  'libs/protocol/src/index.ts': ['./codec.js'],
  'libs/protocol/src/codec.ts': [],
  'libs/crypto/src/link/index.ts': ['@0fc/protocol', 'wasm-themis'],
  'libs/crypto/src/verify/index.ts': ['@0fc/protocol', 'wasm-themis'],
  'libs/crypto/src/keys/index.ts': ['@0fc/protocol', '../verify/index.js'],
  'libs/crypto/src/keys/keys.spec.ts': ['./index.js', '../node/index.js', 'node:fs'],
  'libs/crypto/src/node/index.ts': ['wasm-themis', 'node:fs'],
  'libs/crypto/src/browser/index.ts': ['wasm-themis'],
  'libs/client/src/index.ts': ['@0fc/crypto/keys', '@0fc/protocol', './client.js', './contract/api.js'],
  'libs/client/src/client.ts': ['@0fc/crypto/verify', './account/unlocked-account.js'],
  'libs/client/src/contract/api.ts': ['@0fc/protocol'],
  'libs/client/src/contract/errors.ts': ['type ./api.js'],
  'libs/client/src/vault/vault.ts': ['../contract/errors.js'],
  'libs/client/src/vault/records.ts': ['@0fc/protocol'],
  'libs/client/src/link/connection.ts': ['./link-session.js'],
  'libs/client/src/link/link-session.ts': ['@0fc/crypto/link', '../contract/errors.js'],
  'libs/client/src/room/room.ts': ['./member/outbox.js', './owner/owner.js', './outgoing/log-reader.js'],
  'libs/client/src/room/outgoing/log-reader.ts': [
    '../../link/connection.js',
    '../../vault/vault.js',
    '../log/entry.js',
    '../state/state.js',
  ],
  'libs/client/src/room/log/entry.ts': [
    '../../contract/errors.js',
    '../../vault/records.js',
    '../state/draft.js',
    '@0fc/crypto/verify',
  ],
  'libs/client/src/room/log/entry.spec.ts': ['./entry.js', '../outgoing/log-reader.js', '../state/tables.js'],
  'libs/client/src/room/state/draft.ts': ['./tables.js'],
  'libs/client/src/room/state/state.ts': ['../../vault/vault.js', './draft.js'],
  'libs/client/src/room/state/tables.ts': [],
  'libs/client/src/room/conversation/conversation.ts': ['../log/entry.js', '../state/state.js'],
  'libs/client/src/room/member/outbox.ts': ['../conversation/conversation.js', '../outgoing/log-reader.js'],
  'libs/client/src/room/owner/owner.ts': ['../log/entry.js', '../outgoing/log-reader.js'],
  'libs/client/src/view/room-view.ts': ['../room/room.js', '../room/state/state.js'],
  'libs/client/src/account/unlocked-account.ts': ['../view/room-view.js', '../vault/vault.js'],
  'libs/client/src/node/index.ts': ['@0fc/crypto/node', '../index.js', 'node:path'],
  'libs/client/src/browser/index.ts': ['@0fc/crypto/browser', '../index.js'],
  'apps/relay/src/relay.module.ts': ['./store/redis/store.js', './gateway/gateway.js', '@nestjs/common'],
  'apps/relay/src/main.ts': ['@0fc/crypto/node', './relay.module.js'],
  'apps/relay/src/gateway/gateway.ts': ['@0fc/crypto/link', '../rooms/rooms.js'],
  'apps/relay/src/rooms/rooms.ts': ['@0fc/crypto/verify', '@0fc/protocol'],
  'apps/relay/src/rooms/commands/handlers.ts': [
    '../delivery/feed.js',
    '../upkeep/trimmer.js',
    '../port/store.js',
  ],
  'apps/relay/src/rooms/delivery/feed.ts': ['../port/store.js'],
  'apps/relay/src/rooms/upkeep/trimmer.ts': ['type ../port/store.js'],
  'apps/relay/src/store/redis/store.ts': [
    'ioredis',
    '../../rooms/rooms.js',
    './feed/feed.js',
    './scripts/scripts.js',
  ],
  'apps/relay/src/store/redis/scripts/scripts.ts': ['type ../../../rooms/port/store.js'],
  'apps/relay/src/store/redis/connection/connect.ts': ['ioredis', '../scripts/scripts.js'],
  'apps/relay/src/store/redis/feed/feed.ts': [
    'ioredis',
    '@socket.io/redis-adapter',
    '../connection/connect.js',
  ],
  'apps/relay/src/rooms/port/store.ts': ['@0fc/protocol'],
  'apps/relay/src/limits/buckets.ts': ['type ../rooms/port/store.js'],
  'apps/web/src/app/core/door.ts': ['@0fc/client/api', '@0fc/protocol', 'type ../worker/client.worker'],
  'apps/web/src/app/worker/client.worker.ts': ['@0fc/client', '@0fc/client/browser', '@0fc/crypto/browser'],
  'apps/web/src/app/ui/icon.ts': ['@angular/core'],
  'apps/web/src/app/features/home/page.ts': ['./list.js', '../../core/door.js', '../../ui/icon.js'],
  'apps/web/src/app/features/home/list.ts': [],
  'test/integration/room.spec.ts': ['@0fc/client/node', '@0fc/crypto/keys', 'ioredis'],
};

/** For each rule, files that break it. */
export const plants: Readonly<Record<string, Tree>> = {
  'protocol-stands-alone': { 'libs/protocol/src/p1.ts': ['@0fc/crypto/verify'] },
  'crypto-needs-only-protocol': { 'libs/crypto/src/p2.ts': ['@0fc/client'] },
  'client-needs-only-libraries': { 'libs/client/src/p3.ts': ['../../../apps/web/src/app/core/door.js'] },
  'apps-stand-apart': { 'apps/relay/src/p4.ts': ['../../web/src/app/core/door.js'] },
  'packages-by-their-doors': { 'libs/client/src/p5.ts': ['../../protocol/src/codec.js'] },
  'relay-takes-only-its-doors': {
    'apps/relay/src/p6.ts': ['@0fc/crypto/keys'],
    'apps/relay/src/p7.ts': ['type @0fc/client'],
  },
  'relay-reaches-no-room-key': {
    'apps/relay/src/p8.ts': ['./p8-detour.js'],
    'apps/relay/src/p8-detour.ts': ['../../../libs/crypto/src/verify/p8-shared.js'],
    'libs/crypto/src/verify/p8-shared.ts': ['../keys/index.js'],
  },
  'page-takes-only-the-api': {
    'apps/web/src/app/core/p9.ts': ['@0fc/client'],
    'apps/web/src/app/features/p10.ts': ['type @0fc/crypto/keys'],
  },
  'page-takes-no-worker-code': { 'apps/web/src/app/core/p11.ts': ['../worker/client.worker'] },
  'features-stand-apart': { 'apps/web/src/app/features/join/p54.ts': ['type ../home/list.js'] },
  'core-knows-no-feature': {
    'apps/web/src/app/core/p55.ts': ['../features/home/list.js'],
    'apps/web/src/app/ui/p56.ts': ['../features/home/list.js'],
  },
  'ui-is-given-all': { 'apps/web/src/app/ui/p57.ts': ['type ../core/door.js'] },
  'api-is-only-an-api': { 'libs/client/src/contract/api.ts': ['../client.js'] },
  'no-framework-in-libs': {
    'libs/client/src/p12.ts': ['rxjs'],
    'libs/crypto/src/p13.ts': ['@nestjs/common'],
    'libs/client/src/node/p14.ts': ['@angular/core'],
  },
  'no-node-in-shared-code': {
    'libs/client/src/p15.ts': ['node:fs'],
    'libs/crypto/src/browser/p16.ts': ['fs'],
  },
  'no-platform-door-in-shared-code': { 'libs/client/src/p17.ts': ['@0fc/crypto/node'] },
  'one-platform-at-a-time': { 'libs/client/src/browser/p18.ts': ['@0fc/crypto/node'] },
  'web-is-a-browser': { 'apps/web/src/app/worker/p19.ts': ['@0fc/client/node'] },
  'log-is-pure': {
    'libs/client/src/room/log/p29.ts': ['type ../outgoing/log-reader.js'],
    'libs/client/src/room/log/p30.ts': ['../../contract/ports.js'],
    'libs/client/src/contract/ports.ts': [],
  },
  'log-reaches-no-disk-and-no-wire': {
    'libs/client/src/room/log/p31.ts': ['../state/state.js'],
    'libs/client/src/room/log/p32.ts': ['../../link/link-session.js'],
  },
  'state-knows-no-part': {
    'libs/client/src/room/state/p33.ts': ['type ../log/entry.js'],
    'libs/client/src/room/state/p34.ts': ['../../view/room-view.js'],
  },
  'tables-stay-inside': { 'libs/client/src/room/p35.ts': ['type ./state/tables.js'] },
  'view-sends-nothing': {
    'libs/client/src/view/p36.ts': ['../link/connection.js'],
    'libs/client/src/view/p58.ts': ['type ../vault/header.js'],
    'libs/client/src/vault/header.ts': [],
  },
  'client-rests-on-its-contract': { 'libs/client/src/contract/p37.ts': ['type ../vault/vault.js'] },
  'link-knows-no-room': { 'libs/client/src/link/p38.ts': ['type ../vault/vault.js'] },
  'vault-knows-no-room': {
    'libs/client/src/vault/p39.ts': ['type ../room/state/state.js'],
    'libs/client/src/vault/p40.ts': ['type ../link/connection.js'],
  },
  'room-knows-no-account': {
    'libs/client/src/room/p41.ts': ['type ../account/unlocked-account.js'],
    'libs/client/src/room/owner/p42.ts': ['../../view/room-view.js'],
  },
  'view-knows-no-account': { 'libs/client/src/view/p43.ts': ['type ../account/unlocked-account.js'] },
  'account-knows-no-client': { 'libs/client/src/account/p44.ts': ['type ../client.js'] },
  'outgoing-knows-no-part': {
    'libs/client/src/room/outgoing/p45.ts': ['type ../member/outbox.js'],
    'libs/client/src/room/outgoing/p46.ts': ['../owner/owner.js'],
  },
  'conversation-only-reads': {
    'libs/client/src/room/conversation/p47.ts': ['../outgoing/log-reader.js'],
    'libs/client/src/room/conversation/p48.ts': ['type ../member/outbox.js'],
  },
  'member-and-owner-apart': {
    'libs/client/src/room/member/p49.ts': ['../owner/owner.js'],
    'libs/client/src/room/owner/p50.ts': ['type ../member/outbox.js'],
  },
  'room-is-put-together-once': { 'libs/client/src/room/owner/p51.ts': ['type ../room.js'] },
  'port-knows-no-relay': {
    'apps/relay/src/rooms/port/p52.ts': ['type ../rooms.js'],
    'apps/relay/src/rooms/port/p53.ts': ['../../limits/buckets.js'],
  },
  'delivery-and-upkeep-stand-alone': {
    'apps/relay/src/rooms/delivery/p59.ts': ['type ../commands/handlers.js'],
    'apps/relay/src/rooms/delivery/p60.ts': ['../upkeep/trimmer.js'],
    'apps/relay/src/rooms/upkeep/p61.ts': ['../delivery/feed.js'],
  },
  'rooms-know-no-edge': {
    'apps/relay/src/rooms/p20.ts': ['type ../gateway/gateway.js'],
    'apps/relay/src/rooms/p21.ts': ['../store/redis/store.js'],
    'apps/relay/src/rooms/p39.ts': ['../limits/buckets.js'],
  },
  'limits-and-config-know-types': {
    'apps/relay/src/limits/p40.ts': ['type ../rooms/rooms.js'],
    'apps/relay/src/config/p41.ts': ['type ../gateway/gateway.js'],
  },
  'limits-and-config-run-no-port': { 'apps/relay/src/limits/p42.ts': ['../rooms/port/store.js'] },
  'store-knows-no-edge': { 'apps/relay/src/store/p43.ts': ['type ../gateway/gateway.js'] },
  'scripts-know-only-the-port': {
    'apps/relay/src/store/redis/scripts/p62.ts': ['type ../connection/connect.js'],
    'apps/relay/src/store/redis/scripts/p63.ts': ['../store.js'],
  },
  'connection-knows-no-store': {
    'apps/relay/src/store/redis/connection/p64.ts': ['type ../store.js'],
    'apps/relay/src/store/redis/connection/p65.ts': ['../feed/feed.js'],
  },
  'feed-knows-no-store': {
    'apps/relay/src/store/redis/feed/p66.ts': ['type ../store.js'],
    'apps/relay/src/store/redis/feed/p67.ts': ['../scripts/scripts.js'],
  },
  'redis-in-its-place': {
    'apps/relay/src/rooms/p22.ts': ['ioredis'],
    'apps/relay/src/gateway/p23.ts': ['@socket.io/redis-adapter'],
    'apps/relay/src/gateway/p44-adapter.ts': ['@socket.io/redis-adapter'],
    'apps/relay/src/feed/p45.ts': ['ioredis'],
    'apps/relay/src/store/p46.ts': ['ioredis'],
  },
  'themis-only-in-crypto': {
    'libs/client/src/p24.ts': ['wasm-themis'],
    'test/integration/p25.ts': ['wasm-themis'],
    'libs/client/src/p66.ts': ['@noble/post-quantum/ml-kem.js', 'hash-wasm'],
  },
  'no-cycles': {
    'libs/client/src/p26.ts': ['./p27.js'],
    'libs/client/src/p27.ts': ['type ./p26.js'],
  },
  'imports-resolve': { 'libs/client/src/p28.ts': ['./nowhere.js'] },
};

/** Files of a planted tree that lead to the offence without committing it. */
export const innocents = new Set([
  'libs/crypto/src/verify/p8-shared.ts',
  'libs/client/src/contract/ports.ts',
  'libs/client/src/vault/header.ts',
]);

const stubs = [
  'ioredis',
  '@socket.io/redis-adapter',
  'wasm-themis',
  'rxjs',
  '@nestjs/common',
  '@angular/core',
] as const;

/**
 * Writes a tree to a new temporary folder.
 *
 * @returns its path; the caller removes it
 */
export async function writeTree(...parts: readonly Tree[]): Promise<string> {
  const root = await realpath(await mkdtemp(join(tmpdir(), '0fc-architecture-')));
  await cp(join(repositoryRoot, 'tsconfig.base.json'), join(root, 'tsconfig.base.json'));
  await writeFile(join(root, 'package.json'), '{ "private": true, "type": "module" }');

  for (const library of ['protocol', 'crypto', 'client']) {
    const folder = join('libs', library);
    await mkdir(join(root, folder), { recursive: true });
    await cp(join(repositoryRoot, folder, 'package.json'), join(root, folder, 'package.json'));
    await mkdir(join(root, 'node_modules/@0fc'), { recursive: true });
    await symlink(join(root, folder), join(root, 'node_modules/@0fc', library), 'junction');
  }
  for (const name of stubs) {
    const folder = join(root, 'node_modules', name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name, main: 'index.js' }));
    await writeFile(join(folder, 'index.js'), '');
  }
  for (const [path, imports] of Object.entries(Object.assign({}, ...parts) as Tree)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), imports.map(importLine).join('\n'));
  }
  return root;
}

function importLine(target: string, index: number): string {
  const name = `x${index}`;
  return target.startsWith('type ')
    ? `import type { ${name} } from '${target.slice('type '.length)}';`
    : `import { ${name} } from '${target}';`;
}
