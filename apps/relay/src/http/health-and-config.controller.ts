/** The relay's own paths over plain HTTP: its health for whoever balances or restarts it, its key for the page. */
import { Controller, Get, Header, Inject, ServiceUnavailableException } from '@nestjs/common';

export interface HealthAndConfig {
  /** base64url; only for first contact: a client that has a pin believes its pin (G13) */
  readonly relayPublicKey: string;
  readonly version: string;
  /** statements of the key's succession: whoever has pinned an earlier key is led to this one */
  readonly succession: readonly string[];
  /** Rejects while the relay should get no new connections. */
  readonly ready: () => Promise<void>;
  /** null: none are waited for */
  readonly replicas: () => ReplicaStatus | null;
}

/** Of Redis: how many must have a change, and whether fewer were there at the last WAIT. */
interface ReplicaStatus {
  readonly wanted: number;
  readonly missing: boolean;
}

interface Readiness {
  readonly status: string;
  /** only where some are waited for */
  readonly replicas?: ReplicaStatus;
}
export const HEALTH_AND_CONFIG = Symbol('HEALTH_AND_CONFIG');

@Controller()
export class HealthAndConfigController {
  readonly #parts: HealthAndConfig;

  constructor(@Inject(HEALTH_AND_CONFIG) parts: HealthAndConfig) {
    this.#parts = parts;
  }

  /** The process runs; says nothing about the store. */
  @Get('health/live')
  @Header('Cache-Control', 'no-store')
  live(): { readonly status: string } {
    return { status: 'live' };
  }

  @Get('health/ready')
  @Header('Cache-Control', 'no-store')
  async ready(): Promise<Readiness> {
    try {
      await this.#parts.ready();
    } catch (error) {
      throw new ServiceUnavailableException({ status: 'not ready' }, { cause: error });
    }
    // Still ready: without replicas nothing is written, but pages and logs are read.
    const replicas = this.#parts.replicas();
    if (replicas === null) return { status: 'ready' };
    const { wanted, missing } = replicas;
    return { status: 'ready', replicas: { wanted, missing } };
  }

  @Get('config.json')
  @Header('Cache-Control', 'no-store')
  config(): Pick<HealthAndConfig, 'relayPublicKey' | 'version'> & Partial<HealthAndConfig> {
    const { relayPublicKey, version, succession } = this.#parts;
    return { relayPublicKey, version, ...(succession.length === 0 ? {} : { succession }) };
  }
}
