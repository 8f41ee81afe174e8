"""Everything a page may ask, built once by the service (service.py)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from host_tools.cloud.accounts import endings, waiting
from host_tools.cloud.accounts.administration import Administration
from host_tools.cloud.accounts.again import Again
from host_tools.cloud.accounts.answers import Answers
from host_tools.cloud.accounts.approvals import Approvals
from host_tools.cloud.accounts.ceremonies import Site
from host_tools.cloud.accounts.challenges import Challenges
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.chat_answers import ChatAnswers
from host_tools.cloud.accounts.codes import Codes
from host_tools.cloud.accounts.email_change import EmailChanges
from host_tools.cloud.accounts.entry import Entry
from host_tools.cloud.accounts.events import Events
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.fall_through import FallThrough
from host_tools.cloud.accounts.own_data import OwnData
from host_tools.cloud.accounts.own_password import OwnPassword
from host_tools.cloud.accounts.passkeys import Passkeys
from host_tools.cloud.accounts.passkeys_setting import PasskeysSetting
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.accounts.phones import Phones
from host_tools.cloud.accounts.places import Places
from host_tools.cloud.accounts.profile import Profile
from host_tools.cloud.accounts.proving import Proving
from host_tools.cloud.accounts.pushes import Pushes
from host_tools.cloud.accounts.recovery_sets import RecoverySets
from host_tools.cloud.accounts.reminders import Reminders
from host_tools.cloud.accounts.resets import Resets
from host_tools.cloud.accounts.second_step import SecondStep
from host_tools.cloud.accounts.sending import Sending
from host_tools.cloud.accounts.sessions import Sessions
from host_tools.cloud.accounts.sign_up import SignUps
from host_tools.cloud.accounts.telegram import TelegramChats
from host_tools.cloud.accounts.trusted import TrustedBrowsers
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.undo import Undoing
from host_tools.cloud.accounts.waiting import WaitingChanges
from host_tools.cloud.api.tokens import Tokens
from host_tools.cloud.breached.collection import BreachedPasswords, driver_of
from host_tools.cloud.bus import Bus
from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery import telegram
from host_tools.cloud.delivery.config import PushSettings
from host_tools.cloud.delivery.outbox import Outbox
from host_tools.cloud.delivery.post import CHANNELS, MAIL, PUSH, SMS, TELEGRAM, VOICE, Driver, Post
from host_tools.cloud.delivery.smtp import Smtp
from host_tools.cloud.delivery.telegram import Bot
from host_tools.cloud.delivery.telephony import Calls, Texts
from host_tools.cloud.delivery.token_source import TokenSource
from host_tools.cloud.delivery.web_push import VapidKeys, WebPush
from host_tools.cloud.help.bell import Bell
from host_tools.cloud.help.desk import Desk
from host_tools.cloud.help.diagnostics import Diagnostics
from host_tools.cloud.help.requests import HelpCentre
from host_tools.cloud.help.scanner import Scanner
from host_tools.cloud.oidc.provider import Provider
from host_tools.cloud.oidc.registrar import Registrar
from host_tools.cloud.outside.flow import Flow
from host_tools.cloud.outside.links import Links
from host_tools.cloud.outside.provider import Provider as OutsideProvider
from host_tools.cloud.routers.claims import Claims
from host_tools.cloud.routers.invitations import Invitations
from host_tools.cloud.routers.notices import Notices
from host_tools.cloud.routers.ownership import Ownership
from host_tools.cloud.routers.registry import RouterRegistry
from host_tools.cloud.routers.undos import RouterUndos
from host_tools.cloud.settings import Settings
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.secret_box import SecretBox
from host_tools.cloud.tasks import Tasks

# Numbers that are nobody's (Ofcom keeps them for films): in development the outbox shows which one calls.
DEVELOPMENT_CALLERS = tuple(f"+447700900{ending:03d}" for ending in range(1000))


@dataclass
class Parts:
    settings: Settings
    clock: Clock
    database: Database
    box: SecretBox
    bus: Bus
    tasks: Tasks
    hasher: Hasher
    turnstile: Turnstile
    post: Post
    outbox: Outbox | None
    sessions: Sessions
    factors: Factors
    entry: Entry
    second_step: SecondStep
    approvals: Approvals
    codes: Codes
    trusted: TrustedBrowsers
    events: Events
    places: Places
    own_password: OwnPassword
    proving: Proving
    resets: Resets
    profile: Profile
    email_changes: EmailChanges
    undoing: Undoing
    administration: Administration
    waiting: WaitingChanges
    own_data: OwnData
    phones: Phones
    pushes: Pushes
    push_keys: VapidKeys
    telegram: TelegramChats
    bot: Bot | None  # where there is one
    passkeys: Passkeys
    passkeys_setting: PasskeysSetting
    challenges: Challenges
    sign_ups: SignUps
    tokens: Tokens
    oidc: Provider
    registrar: Registrar
    outside: Flow
    links: Links
    registry: RouterRegistry
    invitations: Invitations
    claims: Claims
    ownership: Ownership
    notices: Notices
    undos: RouterUndos
    help: HelpCentre
    desk: Desk
    scanner: Scanner | None  # where the operator has one
    reminders: Reminders
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def live(self) -> bool:
        """Whether routers can connect at all: without their listener the pages show what was last heard."""
        return self.ownership.hub is not None


DEEDS = {waiting.RESET: endings.drop_factors, waiting.DELETION: endings.delete_account}
PARTS: web.AppKey[Parts] = web.AppKey("parts", Parts)


def build_parts(
    settings: Settings, database: Database, box: SecretBox, clock: Clock, hasher: Hasher
) -> Parts:
    """Join the parts. Needs a running loop; starts nothing."""
    url = settings.public_url
    bus, tasks = Bus(), Tasks("cloud")
    outbox = Outbox(database) if settings.development else None
    api = telegram.Api(settings.delivery.telegram) if settings.delivery.telegram else None
    drivers = _drivers(settings, outbox, clock, api)
    push_settings = settings.delivery.push or PushSettings(settings.public_url)
    push_keys = VapidKeys(database, box)
    pushes = Pushes(database, box, push_settings.services)
    if settings.delivery.push:
        drivers[PUSH] = WebPush(push_settings, push_keys, pushes, clock)
    post = Post(database, drivers, clock)
    turnstile = Turnstile(database, box, clock)
    changes = Changes(post, box, url)
    breached = BreachedPasswords(driver_of(settings.breached_passwords))
    again = Again(database, hasher, turnstile)
    factors = Factors(database, box, again, changes, RecoverySets(database, box, hasher), settings.totp_rule)
    codes, places = Codes(database, box, turnstile, post, _callers(settings)), Places()
    challenges = Challenges(database, box)
    passkeys = Passkeys(database, challenges, factors, changes, Site(settings.public_host, url))
    answers = Answers(factors, codes, passkeys)
    sending = Sending(database, codes, post, bus, places, url)
    second_step = SecondStep(database, turnstile, answers, codes, sending, changes)
    post.news = FallThrough(database, second_step, bus, clock, post.channels).heard
    asks_again = [one.id for one in settings.outside if one.asks_again]
    proving = Proving(database, factors, again, passkeys, codes, turnstile, post, asks_again)
    registry = RouterRegistry(database, settings.devices)
    code_key = settings.service_code_key
    portal = settings.portal_base
    invitations = Invitations(database, clock, code_key, portal)
    claims = Claims(database, registry, turnstile, post, bus, tasks, clock, code_key, portal, invitations)
    bot_name = settings.delivery.telegram.bot if settings.delivery.telegram else ""
    chats = TelegramChats(database, box, factors, changes, bus, clock, bot_name)
    pressed = ChatAnswers(database, bus, clock, url).pressed
    ownership = Ownership(database, turnstile, post, bus, tasks, clock, portal, url)
    bell = Bell(post, settings.help_base, settings.support_email)
    waiting_changes = WaitingChanges(database, post, clock, url, DEEDS, ownership.let_go)
    return Parts(
        settings=settings,
        clock=clock,
        database=database,
        box=box,
        bus=bus,
        tasks=tasks,
        hasher=hasher,
        turnstile=turnstile,
        post=post,
        outbox=outbox,
        sessions=Sessions(database, tasks),
        factors=factors,
        entry=Entry(database, hasher, turnstile, passkeys, second_step, tasks),
        second_step=second_step,
        approvals=Approvals(database, turnstile, bus),
        codes=codes,
        trusted=TrustedBrowsers(database),
        events=Events(database),
        places=places,
        passkeys=passkeys,
        passkeys_setting=PasskeysSetting(database, factors, changes, settings.passkeys_for),
        challenges=challenges,
        phones=Phones(database, factors, codes, turnstile, changes, post),
        pushes=pushes,
        push_keys=push_keys,
        telegram=chats,
        bot=Bot(api, chats.said, pressed) if api else None,
        resets=Resets(database, box, hasher, breached, turnstile, second_step, changes, post, tasks, url),
        profile=Profile(database),
        email_changes=EmailChanges(database, factors, turnstile, changes, post, url),
        undoing=Undoing(database, box, hasher, turnstile, post, url),
        administration=Administration(database, changes),
        waiting=waiting_changes,
        own_data=OwnData(database, factors, changes, waiting_changes),
        proving=proving,
        own_password=OwnPassword(database, hasher, breached, factors, changes),
        sign_ups=SignUps(database, box, hasher, breached, turnstile, post, url),
        tokens=Tokens(database, factors, changes, settings.passkeys_for),
        oidc=Provider(
            database, box, turnstile, clock, url, settings.strict_applications, settings.passkeys_for
        ),
        registrar=Registrar(database, again, changes),
        outside=Flow({one.id: OutsideProvider(one, clock) for one in settings.outside}, box, turnstile, url),
        links=Links(database, factors, changes),
        registry=registry,
        invitations=invitations,
        claims=claims,
        ownership=ownership,
        notices=Notices(database, turnstile, post, clock, url),
        undos=RouterUndos(database, factors, turnstile, post, bus, tasks, clock),
        help=HelpCentre(database, turnstile, Diagnostics(database, bus, tasks, clock), bell),
        desk=Desk(database, post, settings.help_base),
        reminders=Reminders(database, post, url),
        scanner=Scanner(settings.clamd) if settings.clamd else None,
    )


def _callers(settings: Settings) -> tuple[str, ...]:
    telephony = settings.delivery.telephony
    return telephony.callers if telephony else DEVELOPMENT_CALLERS if settings.development else ()


def _drivers(
    settings: Settings, outbox: Outbox | None, clock: Clock, telegram_api: telegram.Api | None
) -> dict[str, Driver]:
    """What is set up; in development the outbox takes the rest."""
    drivers: dict[str, Driver] = dict.fromkeys(CHANNELS, outbox) if outbox else {}
    if smtp := settings.delivery.smtp:
        drivers[MAIL] = Smtp(smtp, TokenSource(smtp.oauth, clock) if smtp.oauth else None)
    if telephony := settings.delivery.telephony:
        tokens = TokenSource(telephony.oauth, clock) if telephony.oauth else None
        drivers |= {SMS: Texts(telephony, clock, tokens)} if telephony.sms_from else {}
        drivers |= {VOICE: Calls(telephony, tokens)} if telephony.callers else {}
    if telegram_api:
        drivers[TELEGRAM] = telegram.Chats(telegram_api)
    return drivers
