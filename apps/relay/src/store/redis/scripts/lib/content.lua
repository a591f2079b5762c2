-- include: lib/departures, lib/invites
-- keys: prekeys, sent
--
-- Everything of a room beside META.

local CONTENT = {PREKEYS, LOG, SENT, CHAIN, WRAPS, GENS, INVITES, JOINS, NEEDS, GRANTS, MEMBERS, FAREWELLS}
