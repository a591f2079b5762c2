/**
 * What the page uses of the browser, by the names that its sources would use it by, against what Permissions-Policy
 * lets it use: nothing more is allowed, and nothing that is used is denied.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { DENIED_FEATURES, PERMISSIONS_POLICY, USED_FEATURES } from '../../apps/relay/src/http/permissions.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** How a script or a template uses a feature. Those of hints (`ch-…`) are headers that the browser sends unasked. */
const USES: Readonly<Record<string, RegExp>> = {
  'accelerometer': /\b(Accelerometer|LinearAccelerationSensor|GravitySensor|DeviceMotionEvent|devicemotion)\b/,
  'aria-notify': /\bariaNotify\b/,
  'attribution-reporting': /attributionsrc/i,
  'autoplay': /<(audio|video)\b|new Audio\(|\bAudioContext\b|\.play\(\)/,
  'bluetooth': /navigator\.bluetooth/,
  'browsing-topics': /\bbrowsingTopics\b/,
  'camera': /\bgetUserMedia\b/,
  'captured-surface-control': /\bCaptureController\b/,
  'clipboard-read': /clipboard\.read(Text)?\b/,
  'clipboard-write': /clipboard\.write(Text)?\b|\bexecCommand\b/,
  'compute-pressure': /\bPressureObserver\b/,
  'cross-origin-isolated': /\bSharedArrayBuffer\b|\bcrossOriginIsolated\b/,
  'deferred-fetch': /\bfetchLater\b/,
  'deferred-fetch-minimal': /\bfetchLater\b/,
  'digital-credentials-get': /\bDigitalCredential\b|credentials\.get\(/,
  'display-capture': /\bgetDisplayMedia\b/,
  'encrypted-media': /\brequestMediaKeySystemAccess\b/,
  'fullscreen': /\brequestFullscreen\b/,
  'gamepad': /\bgetGamepads\b/,
  'geolocation': /navigator\.geolocation/,
  'gyroscope': /\bGyroscope\b|\b[dD]eviceorientation\b|\bDeviceOrientationEvent\b/,
  'hid': /navigator\.hid\b/,
  'identity-credentials-get': /\bIdentityCredential\b|credentials\.get\(/,
  'idle-detection': /\bIdleDetector\b/,
  'interest-cohort': /\binterestCohort\b/,
  'join-ad-interest-group': /\bjoinAdInterestGroup\b/,
  'keyboard-map': /\bgetLayoutMap\b/,
  'language-detector': /\bLanguageDetector\b/,
  'language-model': /\bLanguageModel\b/,
  'local-fonts': /\bqueryLocalFonts\b/,
  'local-network': /location\.origin/,
  'local-network-access': /location\.origin/,
  'loopback-network': /location\.origin/,
  'magnetometer': /\bMagnetometer\b/,
  'microphone': /\bgetUserMedia\b|\bSpeechRecognition\b/,
  'midi': /\brequestMIDIAccess\b/,
  'on-device-speech-recognition': /\bSpeechRecognition\b/,
  'otp-credentials': /\bOTPCredential\b|one-time-code/,
  'payment': /\bPaymentRequest\b/,
  'picture-in-picture': /[pP]ictureInPicture/,
  'private-aggregation': /\bprivateAggregation\b/,
  'private-state-token-issuance': /\bprivateToken\b/,
  'private-state-token-redemption': /\bprivateToken\b/,
  'publickey-credentials-create': /\bcredentials\.create\(|\bPublicKeyCredential\b/,
  'publickey-credentials-get': /\bcredentials\.get\(|\bPublicKeyCredential\b/,
  'run-ad-auction': /\brunAdAuction\b/,
  'screen-wake-lock': /navigator\.wakeLock/,
  'serial': /navigator\.serial\b/,
  'shared-storage': /\bsharedStorage\b/,
  'shared-storage-select-url': /\bsharedStorage\b/,
  'storage-access': /\brequestStorageAccess\b/,
  'summarizer': /\bSummarizer\b/,
  'sync-xhr': /\bXMLHttpRequest\b/,
  'translator': /\bTranslator\b/,
  'unload': /['"(]unload\b|\bonunload\b/,
  'usb': /navigator\.usb\b/,
  'web-share': /navigator\.share\(/,
  'window-management': /\bgetScreenDetails\b/,
  'xr-spatial-tracking': /navigator\.xr\b/,
}; // prettier-ignore

const sources = ['apps/web/src', 'libs/client/src', 'libs/crypto/src', 'libs/protocol/src'].flatMap(
  (folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ts|html)$/.test(path) && !/\.(spec|spec-support)\.ts$/.test(path))
      .map((path) => readFileSync(join(ROOT, folder, path), 'utf8')),
);
const isUsed = (feature: string): boolean => sources.some((text) => USES[feature]?.test(text) === true);

describe('Permissions-Policy', () => {
  test('says of each feature how the page would use it', () => {
    const all = [...USED_FEATURES, ...DENIED_FEATURES].filter((feature) => !feature.startsWith('ch-'));
    expect(Object.keys(USES).toSorted()).toEqual(all.toSorted());
    expect(new Set(all).size).toBe(all.length);
    expect(sources.length).toBeGreaterThan(100);
  });

  test('allows what the page uses, and nothing else', () => {
    expect(Object.keys(USES).filter(isUsed)).toEqual(expect.arrayContaining([...USED_FEATURES]));
    expect(DENIED_FEATURES.filter(isUsed)).toEqual([]);
    for (const feature of USED_FEATURES)
      expect(PERMISSIONS_POLICY.split(', ')).toContain(`${feature}=(self)`);
    for (const feature of DENIED_FEATURES) expect(PERMISSIONS_POLICY.split(', ')).toContain(`${feature}=()`);
  });
});
