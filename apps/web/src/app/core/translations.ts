import enAlarms from '../../i18n/en/alarms.json';
import enCommon from '../../i18n/en/common.json';
import enErrors from '../../i18n/en/errors.json';
import enHome from '../../i18n/en/home.json';
import enJoin from '../../i18n/en/join.json';
import enMembers from '../../i18n/en/members.json';
import enRoom from '../../i18n/en/room.json';
import enSettings from '../../i18n/en/settings.json';
import enUnlock from '../../i18n/en/unlock.json';
import frAlarms from '../../i18n/fr/alarms.json';
import frCommon from '../../i18n/fr/common.json';
import frErrors from '../../i18n/fr/errors.json';
import frHome from '../../i18n/fr/home.json';
import frJoin from '../../i18n/fr/join.json';
import frMembers from '../../i18n/fr/members.json';
import frRoom from '../../i18n/fr/room.json';
import frSettings from '../../i18n/fr/settings.json';
import frUnlock from '../../i18n/fr/unlock.json';

/** Both languages are part of the build: switching fetches nothing and cannot fail. */
export const TRANSLATIONS = {
  en: {
    alarms: enAlarms,
    common: enCommon,
    errors: enErrors,
    home: enHome,
    join: enJoin,
    members: enMembers,
    room: enRoom,
    settings: enSettings,
    unlock: enUnlock,
  },
  fr: {
    alarms: frAlarms,
    common: frCommon,
    errors: frErrors,
    home: frHome,
    join: frJoin,
    members: frMembers,
    room: frRoom,
    settings: frSettings,
    unlock: frUnlock,
  },
};
