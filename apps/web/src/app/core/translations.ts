import enAlarms from '../../i18n/en/alarms.json' with { type: 'json' };
import enCommon from '../../i18n/en/common.json' with { type: 'json' };
import enErrors from '../../i18n/en/errors.json' with { type: 'json' };
import enHome from '../../i18n/en/home.json' with { type: 'json' };
import enJoin from '../../i18n/en/join.json' with { type: 'json' };
import enMembers from '../../i18n/en/members.json' with { type: 'json' };
import enRoom from '../../i18n/en/room.json' with { type: 'json' };
import enSettings from '../../i18n/en/settings.json' with { type: 'json' };
import enUnlock from '../../i18n/en/unlock.json' with { type: 'json' };
import frAlarms from '../../i18n/fr/alarms.json' with { type: 'json' };
import frCommon from '../../i18n/fr/common.json' with { type: 'json' };
import frErrors from '../../i18n/fr/errors.json' with { type: 'json' };
import frHome from '../../i18n/fr/home.json' with { type: 'json' };
import frJoin from '../../i18n/fr/join.json' with { type: 'json' };
import frMembers from '../../i18n/fr/members.json' with { type: 'json' };
import frRoom from '../../i18n/fr/room.json' with { type: 'json' };
import frSettings from '../../i18n/fr/settings.json' with { type: 'json' };
import frUnlock from '../../i18n/fr/unlock.json' with { type: 'json' };

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
