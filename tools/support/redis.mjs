/**
 * What test/support/redis.ts starts servers from: containers where TEST_REDIS asks for them, the machine's
 * redis-server, Debian's, or else a Docker engine. REDIS_URL replaces none of it: clusters, and servers
 * that are killed, are the tests' own.
 */
import { canInstall, installFromDebian } from './debian.mjs';
import { engineAnswers } from './docker.mjs';
import { onPath } from './path.mjs';
import { Remedy } from './report.mjs';

/** Throws a Remedy where none can be had. */
export async function ensureRedis() {
  if (process.env.TEST_REDIS === 'containers') {
    if (await engineAnswers()) return;
    throw new Remedy(
      'TEST_REDIS is containers, but no Docker engine answers.',
      'Start one, or unset TEST_REDIS.',
    );
  }
  if (onPath('redis-server') !== undefined) return;
  // Before an engine is asked: Debian's package is small, and an image may be out of reach.
  if (canInstall()) {
    await installFromDebian('Redis for the tests', 'redis-server');
    if (onPath('redis-server') !== undefined) return;
  }
  if (await engineAnswers()) return;
  throw new Remedy(
    'The tests need Redis 7.',
    'Install its server (Debian: apt-get install redis-server), or start a Docker engine.',
  );
}
