/*
 * The order of a room: (head, epoch), compared and set by its owner at the relay (docs/protocol.md sections 4, 6.11, 7, 12).
 * README.md beside this file says what is modelled, what is not, and what was found; `npm run formal` runs it.
 *
 * Whatever is signed and moves a room is an item: a roster entry or a rotation. It names the state (head, epoch) on
 * which it stands; the state to which it leads is kept with it. Item 0 is genesis. All members are honest.
 *
 * A run has three phases. HOSTILE: members sign, accept and ask to leave; the relay shows anything that was ever signed
 * to anybody, at any time, to some and not to others, and refuses what it likes: losses, forks and restores in any order
 * are among that. LOST: the store has gone back to some log that the relay's rules could have made. HONEST: the relay
 * keeps the rules, whoever is still a member is online, and nobody has a new wish: everything must come to an end.
 *
 * PLANT_…: the model broken on purpose in one place; the search has to find a violation. ORDER_ALONE: by what is signed and
 * verified, and not by how the run ends. WITNESS: a kind of item that some run has to bring into the last log.
 */
#ifndef ITEMS
#define ITEMS 5 /* roster entries and rotations that are signed, 8 at most */
#endif
#ifndef COLDS
#define COLDS 1 /* cold rotations among them */
#endif
#define MEMBERS 3

/* Kinds of items; from ROTATION on: rotations. SETTINGS stands for every entry that goes alone, an admission too. */
#define SETTINGS 1
#define REMOVE 2
#define LEAVE 3
#define TRANSFER 4
#define CLOSE 5
#define ROTATION 6
#define COLD 7

/* Stages of a member's client. */
#define MEMBER 0
#define LEFT 1
#define REMOVED 2
#define CLOSED 3

#define PAST 9

/* Phases of a run. */
#define HOSTILE 0
#define LOST 1
#define HONEST 2

/* ---- items, in the order in which they were signed ---- */
byte items;
byte kind[ITEMS + 1], signer[ITEMS + 1], target[ITEMS + 1];
byte head[ITEMS + 1], epoch[ITEMS + 1];             /* on which it stands */
byte headAfter[ITEMS + 1], epochAfter[ITEMS + 1];   /* to which it leads */
byte ownerAfter[ITEMS + 1], rosterAfter[ITEMS + 1]; /* a roster is a set of bits */
byte tenureAfter[ITEMS + 1];                        /* how often the room was handed over */

/* ---- members ---- */
byte order[ITEMS + 1];  /* the k-th item of every member: whoever verifies another one violates the one order */
byte place[ITEMS + 1];  /* of an item in that order; 0: nobody has verified it */
byte held[MEMBERS];     /* how many items a member has verified: it never goes back */
byte pending[MEMBERS];  /* the stored command; 0: none. The rotation of a departure is the item after it */
byte stage[MEMBERS];
byte leaving[MEMBERS];  /* whose requests to leave this member has read: a set of bits */
byte accepted[MEMBERS]; /* whose offer of the room it has accepted, + 1; 0: nobody's; PAST: of one that does not stand any more */
byte acceptedIn[MEMBERS]; /* in which epoch */
byte asked;             /* who has signed a request to leave: a set of bits */
byte colds;

/* ---- the relay, once it is honest ---- */
byte phase;
byte log[ITEMS + 1];    /* items, from 1 on */
byte length;
byte requests;          /* whose requests to leave are in the log: a set of bits */

hidden byte at, base, next;

#define bit(m) (1 << (m))
#define last log[length]
#define isRotation(i) (kind[i] >= ROTATION)
#define departs(i) (kind[i] == REMOVE || kind[i] == LEAVE)
#define newest(m) order[held[m]]
#define owns(m) (ownerAfter[newest(m)] == m)
#define lists(i, m) (rosterAfter[i] & bit(m))
#define knows(m, i) (place[i] != 0 && place[i] <= held[m] && order[place[i]] == i)
/* The last part of a command, whose reading back ends it. */
#define lastPart(i) (departs(i) -> i + 1 : i)

/* The rule of members: owner, head and epoch are the current ones; a departure owes its rotation before all else. */
#define proves(i, on) (signer[i] == ownerAfter[on] && head[i] == headAfter[on] && epoch[i] == epochAfter[on] && \
  kind[on] != CLOSE && (!departs(on) || isRotation(i)))

/* The rule of the relay: the same. */
#ifdef PLANT_RESTORED_UNCHECKED
/* As before docs/decisions/0012: an entry has a head and no epoch, a restored rotation an epoch and any head. */
#define placeable(i, on) (signer[i] == ownerAfter[on] && kind[on] != CLOSE && \
  (isRotation(i) -> epoch[i] == epochAfter[on] : head[i] == headAfter[on]))
#else
#define placeable(i, on) proves(i, on)
#endif

/*
 * An offer names the head on which it was made: it is taken by who has that in its chain and no transfer behind it. So it
 * is of the time of ownership that the member is in, and the relay may show it whenever its owner has come to that time:
 * long after the owner has handed over as well, when the owner makes nothing of what comes of it (PAST).
 *
 * An acceptance names the epoch in which it was signed. It ends with that for its member, and nobody's transfer of
 * another epoch holds it.
 */
#define isCurrent(o, m) (owns(o) && tenureAfter[newest(o)] == tenureAfter[newest(m)])
#ifdef PLANT_OFFER_OF_ANOTHER_TIME
/* Neither of them names anything: the wire as it was when that was found. */
#define isOffered(o, m) owns(o)
#define offerTaken(o, m) (o + 1)
#define hasAccepted(m) (accepted[m] != 0)
#define mayHold(o, x) true
#else
#define isOffered(o, m) (tenureAfter[newest(o)] >= tenureAfter[newest(m)])
#define offerTaken(o, m) (isCurrent(o, m) -> o + 1 : PAST)
#define hasAccepted(m) (accepted[m] != 0 && acceptedIn[m] == epochAfter[newest(m)])
#ifdef PLANT_ACCEPTANCE_OF_ANOTHER_EPOCH
#define mayHold(o, x) true
#else
#define mayHold(o, x) (acceptedIn[x] == epochAfter[newest(o)])
#endif
#endif

/*
 * Who may not ask to leave: who has accepted the room, and who has handed it over and has read nothing of the new owner.
 * LIAR: the first does it all the same. That may cost the room its owner, and never its order.
 */
#if defined(PLANT_ACCEPTED_LEAVES) || defined(LIAR)
#define isTakingOver(m) false
#else
#define isTakingOver(m) hasAccepted(m)
#endif
#ifdef PLANT_FORMER_OWNER_LEAVES
#define isHandingOver(m) false
#else
#define isHandingOver(m) (kind[newest(m)] == TRANSFER && signer[newest(m)] == m)
#endif

/* Signs one item on the state that `on` leads to. */
inline sign(k, m, t, on) {
  base = on;
  items++;
  kind[items] = k;
  signer[items] = m;
  target[items] = t;
  head[items] = headAfter[base];
  epoch[items] = epochAfter[base];
  headAfter[items] = (k >= ROTATION -> headAfter[base] : items);
  epochAfter[items] = (k >= ROTATION -> epochAfter[base] + 1 : epochAfter[base]);
  ownerAfter[items] = (k == TRANSFER -> t : m);
  rosterAfter[items] = ((k == REMOVE || k == LEAVE) -> rosterAfter[base] - bit(t) : rosterAfter[base]);
  tenureAfter[items] = (k == TRANSFER -> tenureAfter[base] + 1 : tenureAfter[base]);
  at = 1;
  do
  :: at < items ->
    assert(!(signer[at] == m && head[at] == head[items] && epoch[at] == epoch[items])); /* ONE ITEM ON ONE STATE */
    assert(!(signer[at] == m && isRotation(at) && k >= ROTATION && epoch[at] == epoch[items])); /* ONE ROTATION OF ONE EPOCH */
    at++
  :: else -> break
  od;
  at = 0;
  base = 0
}

/* The membership of a device has ended: it signs nothing more, and brings nothing back but a closing. */
inline ends(m, how) {
  stage[m] = how;
  held[m] = (how == CLOSED -> held[m] : 0);
  pending[m] = 0;
  accepted[m] = 0;
  acceptedIn[m] = 0;
  leaving[m] = 0
}

/* An owner that has handed the room over offers nothing any more; who had accepted learns of that by reading it. */
#define OFFER_ENDS(m, i, x) if :: signer[i] == m && accepted[x] == m + 1 -> accepted[x] = PAST :: else fi

/* A member verifies the next item of its order. */
inline verify(m, i) {
  held[m]++;
  assert(order[held[m]] == 0 || order[held[m]] == i); /* ONE ORDER */
  order[held[m]] = i;
  place[i] = held[m];
  if
  :: pending[m] != 0 && i == lastPart(pending[m]) -> pending[m] = 0 /* read back */
  :: pending[m] != 0 && i != lastPart(pending[m]) && i != pending[m] -> pending[m] = 0 /* void: it has passed */
  :: else
  fi;
  if
  :: kind[i] == TRANSFER -> accepted[m] = 0; acceptedIn[m] = 0; OFFER_ENDS(m, i, 0); OFFER_ENDS(m, i, 1); OFFER_ENDS(m, i, 2)
  :: departs(i) && target[i] == m -> ends(m, (kind[i] == REMOVE -> REMOVED : LEFT))
  :: departs(i) && target[i] != m -> leaving[m] = leaving[m] & (255 - bit(target[i]))
  :: kind[i] == CLOSE -> ends(m, CLOSED)
  :: else
  fi
}

#ifdef PLANT_REQUEST_VOIDS_TRANSFER
#define VOIDED_BY_REQUEST(m, x) \
  if :: pending[m] != 0 && kind[pending[m]] == TRANSFER && target[pending[m]] == x -> pending[m] = 0 :: else fi
#else
#define VOIDED_BY_REQUEST(m, x) skip
#endif

/* A member reads a request to leave; the leaver's device has gone with that. */
inline readRequest(m, x) {
  if
  :: !lists(newest(m), x)
  :: lists(newest(m), x) && x == m -> ends(m, LEFT)
  :: else ->
    leaving[m] = (phase == HOSTILE -> leaving[m] | bit(x) : 0); /* nobody signs later */
    VOIDED_BY_REQUEST(m, x)
  fi
}
/*
 * The next command is signed once none is stored. A new owner rotates first. An owner may lack the key of its epoch at
 * any time (a bad wrap, a lost prekey): then it rotates cold, or closes.
 */
#define mayAct(m) (phase == HOSTILE && stage[m] == MEMBER && owns(m) && pending[m] == 0)
#define mayWish(m) (mayAct(m) && kind[newest(m)] != TRANSFER && !departs(newest(m)))
#define REMOVES(x) :: d_step { mayWish(me) && items + 2 <= ITEMS && x != me && lists(newest(me), x) -> \
    sign(REMOVE, me, x, newest(me)); pending[me] = items; sign(ROTATION, me, 0, items) }
#define LEAVES(x) :: d_step { mayWish(me) && items + 2 <= ITEMS && x != me && lists(newest(me), x) && (leaving[me] & bit(x)) -> \
    sign(LEAVE, me, x, newest(me)); pending[me] = items; sign(ROTATION, me, 0, items) }
#define TRANSFERS(x) :: d_step { mayWish(me) && items < ITEMS && x != me && lists(newest(me), x) && \
    accepted[x] == me + 1 && mayHold(me, x) && !(leaving[me] & bit(x)) -> sign(TRANSFER, me, x, newest(me)); pending[me] = items }

#ifdef PLANT_OFFERS_BESIDE_TRANSFER
#define mayOffer(m) (phase == HOSTILE && stage[m] == MEMBER && owns(m))
#else
#define mayOffer(m) (phase == HOSTILE && stage[m] == MEMBER && owns(m) && !(pending[m] != 0 && kind[pending[m]] == TRANSFER))
#endif
#define OFFERS(x) :: d_step { accepted[x] == me + 1 && mayOffer(me) -> accepted[x] = 0; acceptedIn[x] = 0 }

proctype client(byte me) {
end:
  do
  /* ---- the owner's command: its bytes are stored, and the relay may have them from here on ---- */
  :: d_step { mayWish(me) && items < ITEMS -> sign(SETTINGS, me, 0, newest(me)); pending[me] = items }
  :: d_step { mayAct(me) && items < ITEMS -> sign(ROTATION, me, 0, newest(me)); pending[me] = items }
  :: d_step { mayAct(me) && items < ITEMS && colds < COLDS -> colds++; sign(COLD, me, 0, newest(me)); pending[me] = items }
  :: d_step { mayAct(me) && !departs(newest(me)) && items < ITEMS -> sign(CLOSE, me, 0, newest(me)); pending[me] = items }
  REMOVES(0) REMOVES(1) REMOVES(2)
  LEAVES(0) LEAVES(1) LEAVES(2)
  TRANSFERS(0) TRANSFERS(1) TRANSFERS(2)

  /* ---- a member accepts the room from whom it takes for the owner, or asks to leave ---- */
  :: d_step { phase == HOSTILE && stage[me] == MEMBER && !owns(me) && (accepted[me] == PAST || !hasAccepted(me)) && !(asked & bit(me)) &&
      isOffered(ownerAfter[newest(me)], me) ->
      accepted[me] = offerTaken(ownerAfter[newest(me)], me); acceptedIn[me] = epochAfter[newest(me)] }
  :: d_step { phase == HOSTILE && stage[me] == MEMBER && !owns(me) && !(asked & bit(me)) && !isTakingOver(me) &&
      !isHandingOver(me) -> asked = asked | bit(me) }

  /* ---- a new offer ends what was accepted, as long as no transfer is stored ---- */
  OFFERS(0) OFFERS(1) OFFERS(2)

#ifdef PLANT_SIGNS_AFRESH
  /* A refused command is dropped by the relay's word. */
  :: d_step { phase == HOSTILE && pending[me] != 0 -> pending[me] = 0 }
#endif
#ifdef PLANT_COLD_BESIDE_STORED
  /* Who lacks the key while a command is stored rotates cold beside it. */
  :: d_step { phase == HOSTILE && stage[me] == MEMBER && owns(me) && pending[me] != 0 && items < ITEMS ->
      sign(COLD, me, 0, newest(me)); pending[me] = items }
#endif
#ifdef PLANT_GRANT_VOIDS_COLD
  /* Who is granted the key drops the cold rotation that it has stored, for a common one. */
  :: d_step { phase == HOSTILE && stage[me] == MEMBER && pending[me] != 0 && kind[pending[me]] == COLD -> pending[me] = 0 }
#endif
#ifdef PLANT_FORMER_OWNER_SIGNS
  /* Who has handed the room over acts again where the relay's log is back in its time. */
  :: d_step { phase == HOSTILE && stage[me] == MEMBER && held[me] > 0 && !owns(me) && items < ITEMS && pending[me] == 0 &&
      ownerAfter[order[held[me] - 1]] == me && kind[order[held[me] - 1]] != CLOSE ->
      sign(SETTINGS, me, 0, order[held[me] - 1]); pending[me] = items }
#endif
#ifdef PLANT_IMPORT_SIGNS_UNREAD
  /* An earlier copy of the vault is imported, and the relay hides what was signed since. */
  :: d_step { phase == HOSTILE && stage[me] == MEMBER && held[me] > 0 && owns(me) -> held[me]--; pending[me] = 0 }
#endif

  /* ---- a leaver reads its own request in the honest relay's log ---- */
  :: d_step { phase == HONEST && stage[me] == MEMBER && (requests & bit(me)) -> ends(me, LEFT) }
  od
}

/* A member reads the honest relay's log, from the entry `first` on. */
inline reads(m, first) {
  next = first;
  do
  :: next <= length && stage[m] == MEMBER ->
    if
    :: knows(m, log[next])
    :: else ->
      assert(proves(log[next], newest(m))); /* READABLE */
      verify(m, log[next])
    fi;
    next++
  :: else -> break
  od;
  next = 0
}

/* Who brings an item back to an honest relay: a client that holds it, a closed one too, or whose stored command it is. */
#define holds(m, i) ((stage[m] == MEMBER || stage[m] == CLOSED) && \
  (knows(m, i) || (pending[m] != 0 && (pending[m] == i || lastPart(pending[m]) == i))))
#define BRINGS(i) :: d_step { phase == HONEST && items >= i && placeable(i, last) && (holds(0, i) || holds(1, i) || holds(2, i)) -> \
    length++; log[length] = i; reads(0, length); reads(1, length); reads(2, length) }
#define KEEPS(i) :: d_step { phase == LOST && items >= i && placeable(i, last) -> length++; log[length] = i }
#define SHOWS(m, i) :: d_step { phase == HOSTILE && items >= i && stage[m] == MEMBER && proves(i, newest(m)) -> verify(m, i) }
#define FEEDS(i) BRINGS(i) KEEPS(i) SHOWS(0, i) SHOWS(1, i) SHOWS(2, i)

/* A request to leave is placed once in a log, and not of the owner. A restored transfer makes a leaver stay. */
#define ASKS(x) :: d_step { phase != HOSTILE && (asked & bit(x)) && stage[x] == MEMBER && lists(last, x) && \
    ownerAfter[last] != x && kind[last] != CLOSE && !(requests & bit(x)) -> requests = requests | bit(x) }
/* Whether another member reads it sooner or later matters only to who owns the room. */
#define TELLS(m, x) :: d_step { phase == HOSTILE && (asked & bit(x)) && stage[m] == MEMBER && \
    (m == x || owns(m)) && !(leaving[m] & bit(x)) && lists(newest(m), x) -> readRequest(m, x) }

#define FORGETS(m) accepted[m] = 0; acceptedIn[m] = 0; leaving[m] = 0
proctype relay() {
end:
  do
  FEEDS(1) FEEDS(2) FEEDS(3)
#if ITEMS >= 4
  FEEDS(4)
#endif
#if ITEMS >= 5
  FEEDS(5)
#endif
#if ITEMS >= 6
  FEEDS(6)
#endif
#if ITEMS >= 7
  FEEDS(7)
#endif
#if ITEMS >= 8
  FEEDS(8)
#endif
  ASKS(0) ASKS(1) ASKS(2)
  TELLS(0, 0) TELLS(0, 1) TELLS(0, 2) TELLS(1, 0) TELLS(1, 1) TELLS(1, 2) TELLS(2, 0) TELLS(2, 1) TELLS(2, 2)
  /* What only a new signature would ask for is forgotten, so that fewer states differ. */
  :: d_step { phase == HOSTILE -> phase = LOST; colds = 0; FORGETS(0); FORGETS(1); FORGETS(2) }
  :: d_step { phase == LOST -> phase = HONEST; reads(0, 1); reads(1, 1); reads(2, 1) }
  od
}

/* Whether a client that is a member still has come to the end of the log, with nothing that waits. */
#define atTheEnd(m) (stage[m] == MEMBER -> (newest(m) == last && pending[m] == 0) : true)

init {
  d_step {
    rosterAfter[0] = 7;
    epochAfter[0] = 1
  }
  atomic { run client(0); run client(1); run client(2); run relay() }
  /* Nothing can be done any more: so everything was done, and whoever owns the room can act. */
  timeout;
#ifdef WITNESS
  at = 1;
  do
  :: at <= length -> assert(kind[log[at]] != WITNESS); at++ /* found, if a run comes to such a log */
  :: else -> break
  od;
#endif
#ifndef ORDER_ALONE
  assert(phase == HONEST);
  assert(atTheEnd(0) && atTheEnd(1) && atTheEnd(2)); /* ALL AT ONE END */
#ifndef LIAR
  assert(kind[last] == CLOSE || stage[ownerAfter[last]] == MEMBER); /* THE OWNER CAN ACT */
#endif
#endif
}
