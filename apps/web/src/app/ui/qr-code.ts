import { Component, computed, input } from '@angular/core';
import { encodeQR } from 'qr';

const QUIET = 2;

/** A QR code as one path: dark on white in both themes, or cameras refuse it. */
@Component({
  selector: 'zfc-qr',
  host: { class: 'qr' },
  template: `<svg [attr.viewBox]="code().box" role="img" [attr.aria-label]="label()">
    <path [attr.d]="code().path" />
  </svg>`,
})
export class QrCode {
  readonly text = input.required<string>();
  readonly label = input.required<string>();
  protected readonly code = computed(() => {
    const rows = encodeQR(this.text(), 'raw', { ecc: 'low', border: QUIET });
    const path = rows.flatMap((row, y) =>
      row.map((dark, x) => (dark ? `M${String(x)} ${String(y)}h1v1h-1z` : '')),
    );
    return { path: path.join(''), box: `0 0 ${String(rows.length)} ${String(rows.length)}` };
  });
}
