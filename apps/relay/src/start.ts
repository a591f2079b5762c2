/** Starts a relay: what main.ts does from the command line, and tests do in their own process. */
import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { access, constants, mkdir } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Logger as NestLogger } from 'nestjs-pino';
import { pino } from 'pino';
import { toBase64Url, type Bytes, type RoomId } from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/link';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { fingerprintOf } from '@0fc/crypto/verify';
import { openStoreBackend } from './store/store-backend.js';
import { ConfigError, listenError, systemErrorCode } from './config/errors.js';
import { listensOnLoopback } from './config/host-names.js';
import { readConfig, type Environment, type RelayConfig } from './config/environment.js';
import { RelayGateway, type GatewayParts } from './gateway/relay.gateway.js';
import { AllowedHosts } from './gateway/hosts.js';
import { RelayIoAdapter } from './gateway/relay-io.adapter.js';
import { socketsAdapter } from './store/redis/feed/sockets-adapter.js';
import { relayKeyPair } from './config/key-pair.js';
import { publishedSuccession } from './config/succession.js';
import { AddressCounter, limitPlainConnections } from './limits/connections.js';
import { TokenBuckets } from './limits/token-buckets.js';
import { rotationGate } from './limits/rotation-gate.js';
import { MetricsServer } from './metrics/metrics-server.js';
import { RelayMetrics } from './metrics/metrics.js';
import { RelayModule } from './relay.module.js';
import type { RelayContext } from './rooms/commands/context.js';
import { operate } from './operators/commands.js';
import { OperatorSocket, socketPath } from './operators/socket.js';
import type { RoomStore } from './rooms/port/room-store.js';
import { Rosters } from './rooms/commands/rosters.js';
import { Sweeper } from './rooms/upkeep/sweeper.js';
import { FanOuts } from './rooms/delivery/fan-out.js';
import { Trimmer } from './rooms/upkeep/trimmer.js';
import { answerMalformed } from './http/malformed.js';
import { securityHeaders, serveWebClient } from './http/middleware.js';
import { refuseMisdirected } from './http/misdirected.js';
import { WebFiles } from './http/web-files.js';

const VERSION = '0.1.0';

/** apps/web's build, seen from src and from dist alike. */
const WEB_DIR = join(import.meta.dirname, '..', '..', 'web', 'dist', 'browser');

/** Between two rounds of trimming, and of looking for idle rooms. */
const TRIM_REST_MS = 1_000;
const SWEEP_MS = 3_600_000;

const NEST: Pick<NestApplicationOptions, 'logger' | 'bodyParser' | 'abortOnError' | 'forceCloseConnections'> =
  {
    // Nest tells of its own start in a dozen lines, and of a failed one beside throwing it; main.ts
    // says it in one.
    logger: false,
    bodyParser: false,
    abortOnError: false,
    // A client that keeps its HTTP connection open does not keep the relay from ending.
    forceCloseConnections: true,
  };

export interface StartOptions {
  /** as process.env: the variables of config/environment.ts */
  readonly environment: Environment;
  /** true: nothing is written, and nothing survives; for tests */
  readonly inMemory?: boolean;
}

export interface RunningRelay {
  readonly url: string;
  readonly port: number;
  readonly publicKey: Bytes;
  readonly fingerprint: string;
  /** fingerprint of the key that this one is announced to give way to; null: none is */
  readonly successor: string | null;
  readonly config: RelayConfig;
  /** of GET /metrics; null where none are served */
  readonly metricsPort: number | null;
  /** whether it answers by address and as localhost alone, since nobody has named it */
  readonly unnamed: boolean;
  /** whether there is a web build to serve; null where none is to be served */
  readonly web: boolean | null;
  /** Ends it in order, within its grace. Idempotent. */
  stop(): Promise<void>;
}

/** Throws {@link ConfigError} with one line for the operator. */
export async function startRelay(options: StartOptions): Promise<RunningRelay> {
  const config = readConfig(options.environment, { webDir: WEB_DIR });
  const inMemory = options.inMemory ?? false;
  await loadThemis();
  // Replicas keep nothing there but a socket for operators' commands, and do without it.
  if (!inMemory && config.redis === null) await makeDataDir(config.dataDir);
  const given = config.privateKey !== null || config.privateKeyFile !== null;
  const relay = inMemory && !given ? generateKeyPair() : await relayKeyPair(config);
  const succession = await publishedSuccession(config, relay.publicKey, given || inMemory);
  const logger = pino({ level: config.logLevel, base: { app: 'relay' } });
  const backend = await openStoreBackend(config, inMemory, logger);
  const { store, redis } = backend;
  const failed = (what: string) => (error: unknown) => {
    logger.error({ err: error }, what);
  };
  const trimmer = new Trimmer({
    store,
    hash: nodeHash,
    historyBytes: config.historyBytes,
    restMs: TRIM_REST_MS,
    failed: failed('trimming failed'),
  });
  const context = contextOf(config, store, trimmer, failed('a batch could not be sealed'));
  const forget = (roomId: RoomId): void => {
    context.rosters.forget(roomId);
  };
  const sweeper = new Sweeper({
    store,
    idleDays: config.roomIdleDays,
    everyMs: SWEEP_MS,
    now: () => systemClock.now(),
    erased: forget,
    done: (rooms) => {
      logger.info({ rooms }, 'idle rooms erased');
    },
    failed: failed('looking for idle rooms failed'),
  });
  let draining = false;
  const metrics = new RelayMetrics();
  const gateway: GatewayParts = {
    relay,
    config,
    context,
    addresses: new AddressCounter({ perAddress: config.connectionsPerAddress, all: config.connections }),
    requestBuckets: new TokenBuckets(),
    byteBuckets: new TokenBuckets(),
    metrics,
    shared: redis !== null,
    log: logger,
  };
  const http = {
    relayPublicKey: toBase64Url(relay.publicKey),
    version: VERSION,
    succession: succession.texts,
    ready: async () => {
      if (draining) throw new Error('draining');
      await backend.check();
    },
    replicas: () => redis?.figures().replicas ?? null,
  };
  const sockets = redis === null ? null : socketsAdapter(redis.connections, redis.prefix);
  const web =
    config.webDir === null
      ? null
      : new WebFiles(config.webDir, (file, code) => {
          logger.warn(
            { file, code },
            'a compressed file of the web client is ignored: it is not its original',
          );
        });

  const app = await NestFactory.create<NestExpressApplication>(
    RelayModule.with({ gateway, http, logger }),
    NEST,
  );
  app.disable('x-powered-by');
  // Once a code: anybody can bring it about, and would fill the log.
  const told = new Set<string>();
  const tellOnce = (code: string, what: string) => (): void => {
    if (told.has(code)) return;
    told.add(code);
    logger.warn({ code }, what);
  };
  const hosts = new AllowedHosts(config);
  const misdirected = refuseMisdirected(
    hosts,
    tellOnce('HOST', 'requests for a host that PUBLIC_HOST does not name are answered 421'),
  );
  app.useWebSocketAdapter(
    new RelayIoAdapter(app, {
      config,
      addresses: gateway.addresses,
      draining: () => draining,
      hosts: misdirected,
      schemeRefused: tellOnce(
        'SCHEME',
        'a page of this host by another scheme was refused: TRUST_PROXY and X-Forwarded-Proto, or ALLOWED_ORIGINS',
      ),
      adapter: sockets?.adapter ?? null,
    }),
  );
  app.use(securityHeaders(config.trustProxy));
  app.use(misdirected);
  app.use(
    serveWebClient(web, (code) => {
      logger.error({ code }, 'a page could not be served');
    }),
  );
  answerMalformed(app.getHttpServer());
  limitPlainConnections(app.getHttpServer(), config.httpConnections);
  let metricsServer: MetricsServer | null = null;
  try {
    metricsServer = await serveMetrics(config, metrics, failed('telling metrics failed'));
    await app.listen(config.port, config.host);
  } catch (error) {
    await app.close();
    await metricsServer?.close();
    sockets?.close();
    await backend.close();
    if (error instanceof ConfigError) throw error;
    const { host, port } = config;
    throw listenError(error, { host, port, names: { host: 'HOST', port: 'PORT' }, option: ' (or --port)' });
  }
  const edge = app.get(RelayGateway);
  metrics.watch({
    connections: () => edge.connections,
    sessions: () => edge.sessions,
    queuedBytes: () => edge.queuedBytes,
    rooms: () => edge.rooms,
    redis: () => redis?.figures() ?? null,
    replicas: () => edge.replicas(),
  });
  app.useLogger(app.get(NestLogger));
  const operators = inMemory ? null : await listenToOperators();
  sweeper.start();
  const address = app.getHttpServer().address();
  const port = typeof address === 'object' && address !== null ? address.port : config.port;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;

  /** A relay whose folder cannot hold a socket runs all the same. */
  async function listenToOperators(): Promise<OperatorSocket | null> {
    try {
      await makeDataDir(config.dataDir);
      return await OperatorSocket.listen({
        path: socketPath(config.dataDir),
        operate: (request) => operate(store, request, forget),
        failed: failed('an operator’s command failed'),
      });
    } catch (error) {
      const code = error instanceof ConfigError ? error.message : systemErrorCode(error);
      logger.warn({ code }, 'operators’ commands work only while the relay is stopped');
      return null;
    }
  }

  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    draining = true;
    // Whoever comes now finds another replica, or comes back.
    app.getHttpServer().close();
    await edge.drain(config.graceMs);
    await app.close();
    await Promise.all([trimmer.end(), sweeper.end(), operators?.end(), metricsServer?.close()]);
    sockets?.close();
    await backend.close();
  };
  return {
    url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`,
    port,
    publicKey: relay.publicKey,
    fingerprint: await fingerprintOf(nodeHash, relay.publicKey),
    successor: succession.next === null ? null : await fingerprintOf(nodeHash, succession.next),
    config,
    metricsPort: metricsServer?.port ?? null,
    unnamed: hosts.unnamed,
    web: web?.built ?? null,
    stop: () => (stopping ??= stop()),
  };
}

async function makeDataDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ConfigError(
      `DATA_DIR is ${path}, which cannot be written to (${systemErrorCode(error)}); it must be a folder that the relay may write to.`,
    );
  }
}

function contextOf(
  config: RelayConfig,
  store: RoomStore,
  trimmer: Trimmer,
  unsealed: (error: unknown) => void,
): RelayContext {
  const creations = new TokenBuckets();
  const restores = new TokenBuckets();
  return {
    store,
    rosters: new Rosters(store, nodeHash),
    trimmer,
    fanOuts: new FanOuts(nodeRandom, unsealed),
    hash: nodeHash,
    clock: systemClock,
    limits: {
      append: config.appendRate,
      maxMembers: config.maxMembers,
      invitesOpen: config.invitesOpen,
      settings: { entries: config.settingsEntries, rate: config.settingsRate },
      creationToken: config.creationToken,
    },
    mayCreate: (address) => creations.of(address, config.roomsPerAddress, systemClock.now()).take(),
    mayRestore: (address) => {
      const bucket = restores.of(address, config.restoreRate, systemClock.now());
      return bucket.take() ? 0 : bucket.waitMs();
    },
    mayRotate: rotationGate(systemClock),
  };
}

/** Null: none are to be served. Throws {@link ConfigError}. */
async function serveMetrics(
  { metricsPort: port, metricsHost: host }: RelayConfig,
  metrics: RelayMetrics,
  failed: (error: unknown) => void,
): Promise<MetricsServer | null> {
  if (port === null) return null;
  try {
    const hosts = new AllowedHosts({ host, publicHosts: [] });
    // Elsewhere collectors ask by names of their own, in a network that no browser reaches.
    const answers = (request: IncomingMessage): boolean => !listensOnLoopback(host) || hosts.answer(request);
    return await MetricsServer.listen(metrics.registry, { port, host, answers }, failed);
  } catch (error) {
    throw listenError(error, {
      port,
      host,
      names: { port: 'METRICS_PORT', host: 'METRICS_HOST' },
      option: '',
    });
  }
}
