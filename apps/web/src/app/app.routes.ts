import type { Routes } from '@angular/router';

import { vaultIsOpen } from './core/vault-guard';
import { HomePage } from './features/home/home-page';
import { NewRoomPage } from './features/home/new-room-page';
import { Shell } from './features/home/shell';
import { JoinPage } from './features/join/join-page';
import { MembersPage } from './features/members/members-page';
import { RelayPage } from './features/room/relay-page';
import { RoomPage } from './features/room/room-page';
import { SettingsPage } from './features/settings/settings-page';
import { UnlockPage } from './features/unlock/unlock-page';
import { VerifyPage } from './features/verify/verify-page';

export const routes: Routes = [
  { path: 'unlock', component: UnlockPage, title: 'unlock.unlock' },
  { path: 'join', component: JoinPage, title: 'join.pageTitle', canActivate: [vaultIsOpen] },
  {
    path: '',
    component: Shell,
    canActivate: [vaultIsOpen],
    children: [
      { path: '', pathMatch: 'full', component: HomePage, title: 'common.rooms' },
      { path: 'new', component: NewRoomPage, title: 'common.newRoom' },
      { path: 'room/:id', component: RoomPage, title: 'room.conversation' },
      { path: 'room/:id/members', component: MembersPage, title: 'members.title' },
      { path: 'room/:id/verify/:member', component: VerifyPage, title: 'members.compare.title' },
      { path: 'room/:id/relay', component: RelayPage, title: 'room.relaySees' },
      { path: 'settings', component: SettingsPage, title: 'settings.title' },
    ],
  },
  { path: '**', redirectTo: '' },
];
