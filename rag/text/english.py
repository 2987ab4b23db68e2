"""English: all its words and patterns, in one place. `rag.text.language` says what each of them is for."""

from __future__ import annotations

from rag.text.language import (
    DateWords,
    FigureWords,
    FollowUpWords,
    Language,
    LineWords,
    NameWords,
    NoticeRule,
    NoticeWords,
    QuestionWords,
    Wording,
)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _any(*patterns: str) -> Wording:
    return Wording("|".join(f"(?:{pattern})" for pattern in patterns))


def _anywhere(words: str) -> Wording:
    return Wording(rf"\b(?:{words})\b")


_STOP_WORDS = _set(
    """a about all also am an and any are as at be been being but by can could did do does for from had has
    have he her hers him his how i if in into is it its me my of on or our she should so some than that the
    their them then there these they this those to us was we were what when where which who whom whose why
    will with would you your"""
)
_NUMBER_WORDS = _set(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million
    billion dozen half third quarter double twice once"""
)

# --- names -------------------------------------------------------------------------------------------------

_TITLES = {
    **dict.fromkeys("mr sir lord".split(), "he"),
    **dict.fromkeys("mrs ms miss dame lady baroness".split(), "she"),
    **dict.fromkeys("mx dr prof professor cllr councillor mayor".split(), ""),
}
_NAMES = NameWords(
    inside=_set("of and the for de la van von du der & in at"),
    openers=_set(
        """a about after again all although an and another any as at because before but by during each every
        for from had has he her here his how i if in into is it its many more most my no nobody not now of
        on once one only or our over she since so some such that the their then there these they this
        those three to two under until we were what when where whether which while who why with within
        without yes yet you your"""
    ),
    titles=_TITLES,
    organised=_set(
        """academy agency association authority authorities bank board borough bridge building bureau cabinet
        campaign centre church club college commission committee company council court department desk
        directorate fund gallery group hall hospital house inspectorate institute limited ltd ministry museum
        office party plc road school service services society street survey team trust trustees union
        university yard"""
    ),
)

# --- dates -------------------------------------------------------------------------------------------------

_MONTHS = tuple(
    "January February March April May June July August September October November December".split()
)
_DATES = DateWords(
    months=_MONTHS,
    short_months={**{month[:3].casefold(): n for n, month in enumerate(_MONTHS, 1)}, "sept": 9},
    weekdays=tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()),
    short_weekdays=tuple("mon tue tues wed thu thur thurs fri sat sun".split()),
    day_ending="st|nd|rd|th",
    day_to_month=r"\s+of",
    clock=r"\b\d{1,2}(?:[.:]\d\d){1,2}\s*(?:[ap]\.?m\.?)?(?:\s*(?:GMT|BST|UTC|Z))?|\b\d{1,2}\s*[ap]\.?m\b\.?",
    relative=Wording(
        r"\b(last|next|yesterday|today|earlier|spring|summer|autumn|winter|century)\b", case=True
    ),
    seasons=tuple("spring summer autumn fall winter".split()),
    steps={"last": -1, "this": 0, "next": 1},
    no_step=_set("the a an my your his her its our their whose every each per one very"),
    year_word="year",
    month_word="month",
)

# --- questions ---------------------------------------------------------------------------------------------

_KINDS = {
    "why": r"\b(why|how come|what (was|were|is|are) the (reasons?|causes?)|reasons? (for|why|behind)"
    r"|what (made|caused|led)|what for)\b",
    "list": r"\b(list|name (all|the|two|three|four|some)|what (are|were) the|who (are|were) the|examples of"
    r"|(which|what) (?!was|is|has|does)(people|children|[a-z]+[^\Ws]s))\b",
    "change": r"\b(chang(e|es|ed|ing)|over time|improv(e|ed|ing) (since|between|from)|trend|progress(ed)?"
    r" (since|between|from)|compared (with|to)|between \d{4} and \d{4}|from \d{4} to \d{4})\b",
    "how_many": r"\b(how (many|much|often|long|old|large|big|far|high)|what (percentage|proportion|number|"
    r"share|rate|amount|figure)|percentage|cost of|number of)\b",
    "when": r"\b(when|what (year|date|month|day|time)|which (year|month|date|day)|since when|by when)\b",
    "who": r"\b(who|whom|whose|which (person|man|woman|minister|inspector|mayor|councillor|director))\b",
    "where": r"\b(where|which (town|city|country|place|building|street))\b",
    "how": r"\bhow\b",
    "yes_no": r"^(is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might)\b",
}
_QUESTIONS = QuestionWords(
    kinds=tuple((kind, Wording(pattern, case=True)) for kind, pattern in _KINDS.items()),
    asked_for={
        "who": "who it was",
        "when": "when it was",
        "where": "where it was",
        "how_many": "the figure asked for",
        "why": "a reason",
        "how": "how it was done",
        "yes_no": "whether it is so",
        "list": "what is asked for",
        "change": "the change asked about",
        "what": "what is asked for",
    },
    empty=_set(
        """who whom whose what which when where why how many much is are was were be been being am do does
        did has have had can could will would shall should may might must isn't aren't wasn't weren't don't
        doesn't didn't hasn't haven't hadn't can't couldn't won't wouldn't shouldn't please"""
    ),
    measured=_anywhere(r"how\s+(?:long|old|large|big|far|high|often|soon|late|early)"),
    asking=Wording(r"^\W*(?:tell me|show me|give|name|list|describe|explain)\b"),
    as_of=Wording(
        r"\b(?P<lead>as (?:of|at)) (?:the end of )?(?:(?P<day>\d{1,2}) )?(?:(?P<month>[a-z]+) )?"
        r"(?P<year>\d{4})\b"
    ),
    as_of_plain="in",
)

# --- letters, memos, reports -------------------------------------------------------------------------------

_NAME = r"[A-Z][\w'’.-]*(?: (?:van |von |de |al |bin )?[A-Z][\w'’.-]+){1,3}"
_LINES = LineWords(
    salutation=Wording(r"(?:Dear|To whom it may concern)\b[^.!?]{0,70}$", case=True),
    closing=Wording(
        r"(?:Yours (?:sincerely|faithfully|truly|ever)|Regards|Sincerely|Many thanks"
        r"|(?:With )?(?:kind|best|warm|every|all)(?: good)?(?: regards| wish(?:es)?))\W*$"
    ),
    byline=Wording(
        rf"(?:(?:Words |Reported |Written )?[Bb]y|From our) (?:{_NAME}(?: and {_NAME})?|[A-Z][\w'’.-]+)"
        r"(?:\s*[,|/·–-].{0,60})?$",
        case=True,
    ),
    memo=Wording(
        r"(?:From|To|Cc|Bcc|Copy|Copies|Date|Sent|Subject|Re|(?:Our |Your )?ref(?:erence)?|Tel|E-?mail)"
        r"\s?:\s"
    ),
    name_word=Wording(r"(?:[A-Z][\w'’.-]*|van|von|de|al|bin|and|&|of|the|for|\d[\w–-]*)[,.]?$", case=True),
    breaks_off=Wording(
        r"\b(?:a|an|the|and|or|but|of|to|by|for|from|with|at|that|which|who|whose|is|are|was|were|has|have|had|be"
        r"|been|its|their|his|her|our|as|than|because|if|when|while|into|between|under),?$",
        case=True,
    ),
    date_cue=_anywhere(
        r"publish(?:ed)?|posted|updated|issued?|dated?|released?|revised|created|last checked"
    ),
    date_side=frozenset({"on", "by", "in", "in:", "immediate"}),
    label=Wording(
        r"(?:press|news|media) release|press notice|for immediate release|memo(?:randum)?|news|report|draft"
        r"|(?:private and )?confidential|minutes|agenda|briefing(?: note)?|statement(?: for the press)?"
        r"|comment|opinion|contents"
    ),
    subject=Wording(r"(?:Subject|Re)\s?:\s+(\S.*)$"),
    updated=_anywhere("updated|revised|last checked"),
    minutes=_anywhere("minutes|meeting|held on|notes of"),
    published=Wording(r"\b(?:published|issued|posted|first published)\b[^.;]*"),
    keeps_hyphen=_set(
        """long short well self non co multi high low mid full part half ex cross all ill single two three
        four five six seven eight nine ten twenty thirty forty fifty sixty seventy eighty ninety first
        second third last old new year fast slow better best ever above ground hard so much fixed face
        decision day one north south east west great by in on off out"""
    ),
)

# --- web pages ---------------------------------------------------------------------------------------------

_SERVICES = r"(?:facebook|twitter|x|linkedin|e-?mail|print|whatsapp|reddit|pinterest|instagram|bluesky|save)"
_SITE = r"(?:this|our) (?:web)?site"
_LINK_LEAD = r"(?:related|read more|more from [\w ]{2,30}|see also|more on this story|most read)"
_RULES = (
    NoticeRule(
        "browser notice",
        _any(
            r"your browser (?:is|seems) (?:no longer supported|out of date|outdated|unsupported)",
            r"(?:please|recommend you) (?:upgrade|update|switch) (?:to )?(?:a newer|yours?|another)\b",
            r"(?:enable|turn on|switch on) javascript\b.*\byour browser|your browser\b.*\bjavascript",
            rf"{_SITE} works best in\b",
        ),
    ),
    NoticeRule(
        "cookie notice",
        _any(
            rf"\b(?:we|{_SITE}|this page)(?: and our \w+ partners)? (?:also )?uses? cookies\b",
            r"\b(?:accept|reject|manage|enable|allow|decline)(?: all| the| our| your)* cookies?\b.{0,60}$",
            rf"\bcookies on {_SITE}\b",
            r"\bcookies (?:are |have been )?(?:disabled|switched off|turned off)\b",
            r"\b(?:your|you) (?:consent|agree)\b.{0,40}\bcookies\b",
            r"\bstore (?:and/or access )?(?:information|cookies|data) on (?:your|a) device\b",
            r"^we value your privacy\b",
            r"\bcookie (?:settings|preferences|policy)\W*$",
        ),
        _any(
            r"(?:learn|find out|read) (?:more|how)", r"(?:accept|reject)(?: all)?|ok, got it|i agree|dismiss"
        ),
    ),
    NoticeRule(
        "comment form",
        _any(
            r"^(?:blog )?comments? (?:are )?powered by \w+",
            r"^[•*·-]\s*comments?(?: \(\d+\))?$",
            r"^(?:you (?:must|need to) (?:be )?)?(?:sign|log)(?:ed|ged)?[ -]in to (?:\w+ ){0,3}comment",
            r"^(?:leave|post|add) a (?:comment|reply)$",
            r"^we (?:pre-?)?moderate (?:all )?comments\b|^comments are (?:now )?closed\b",
            r"\byour comments?\b.*\bhtml\b|^links are allowed in comments\b",
            r"\byour e-?mail address will not be published\b",
        ),
        _any(r"have your say|join the (?:debate|discussion|conversation)", r"comments?(?: \(\d+\))?"),
    ),
    NoticeRule(
        "terms notice",
        _any(
            r"\b(?:you|your)\b.*\b(?:post|submi\w+|material)\b.*\b(?:our|these|the) terms\b",
            r"\b(?:post|submission|submitting|submit)\b.*\b(?:our|these) terms\b",
            r"^(?:©|\(c\)|copyright ©?)\s?.{0,60}(?:\d{4}|all rights reserved)",
            r"^all rights reserved\W*$",
        ),
        _any(
            r"(?:terms(?: and conditions| of use)?|privacy(?: policy)?|accessibility|contact us)(?: apply)?"
        ),
    ),
    NoticeRule(
        "sharing line",
        _any(
            r"^share (?:this|via|on)(?: (?:article|page|story|post))?\b.{0,80}$",
            rf"^{_SERVICES}(?:[\s|·•,/]+{_SERVICES})+$",
        ),
        max_words=16,
    ),
    NoticeRule(
        "subscription offer",
        _any(
            r"^(?:[\w ]{4,12}\?.*)?\bsubscribe (?:to|now|today|from)\b.*(?:[£$€]\s?\d|\d+p\b|\byour\b)",
            r"^subscribe (?:now|today|and save)\W*$",
        ),
        max_words=35,
    ),
    NoticeRule(
        "newsletter sign-up",
        _any(
            r"^(?:sign up|subscribe)(?: now| today)? (?:to|for) (?:our|the|a) (?:[\w-]+ ){0,4}newsletter",
            r"\bsign up (?:to|for) our newsletter\W*$",
            r"^to (?:stop receiving|unsubscribe from) (?:this|our|these)\b",
            r"^(?:get|receive)\b.{0,60}\b(?:in|to) your inbox\b",
            r"^unsubscribe\b.{0,40}$",
        ),
        max_words=40,
    ),
    NoticeRule(
        "advertisement",
        _any(r"^advertise?ment(?:\s*:.*)?$", r"^(?:sponsored|promoted)(?: content| post)?\s*[:|].*"),
        max_words=40,
    ),
    NoticeRule("table of contents", _any(r"(?:\.\s?){6,200}\d{1,4}(?:\s|$)"), max_words=5000),
    NoticeRule(
        "link to other pages",
        _any(rf"^{_LINK_LEAD}\s*:\s*[^.]{{3,120}}\.?$", r"^(?:most read|related (?:news|articles|stories))$"),
        max_words=18,
    ),
)
_NOTICES = NoticeWords(
    rules=_RULES,
    price=Wording(
        r"^(?:(?:from|only|just|was|now|for)\s+)*[£$€]\s?\d[\d.,]*\s*(?:/|per|a|each)\s*(?:month|week|year|issue|quarter)"
        r"(?:\W+(?:now|was|only|for)\s+(?:only\s+)?[£$€]\s?\d[\d.,]*\s*(?:(?:/|per|a)\s*\w+)?)?\W*$"
    ),
    offer_word=Wording(
        r"\b(?:subscri\w+|member(?:ship)?|digital|magazine|in print|issues?|unlimited|articles?|podcasts?"
        r"|access|analysis|updates?|alerts?|archive|guides?|news|free|save|off|trial|e-?paper|app)\b"
    ),
    reporting=Wording(
        r"\b(?:said|says|told|asked|added|according to|reported|announced|consulted|argued|explained"
        r"|found that|ruled|complained|insisted|wrote|warned)\b",
        case=True,
    ),
)

# --- follow-ups --------------------------------------------------------------------------------------------

_PERSONAL = {**dict.fromkeys("he him his".split(), "he"), **dict.fromkeys("she her hers".split(), "she")}
_PLURAL = _set("they them their theirs")
_PLACE = _set("there")
_IMPERSONAL = _set("it its")
_WH = _set("who whom whose what which when where why how")
_AUXILIARIES = _set(
    """am is are was were be been being do does did have has had can could will would shall should
    may might must wasnt isnt arent werent didnt doesnt dont hasnt havent hadnt cant couldnt wouldnt
    wont"""
)
_PREPOSITIONS = _set(
    """about above after against around as at before behind below between beyond by down during for from
    in inside into near of off on onto out over per since than through to toward towards under until
    up upon via with within without versus vs"""
)
_DETERMINERS = _set("the a an this that these those its his her their our my your any some all each no")
_SMALL = (
    _WH
    | _AUXILIARIES
    | _DETERMINERS
    | _PREPOSITIONS
    | _PERSONAL.keys()
    | _PLURAL
    | _PLACE
    | _IMPERSONAL
    | _set(
        """and or but if so because while not many much long far high often old there then now i we you me us
        more most else also even just only other others same such"""
    )
)
_MONTH = "(?:" + "|".join(f"{month}|{month[:3]}" for month in (*_MONTHS, "sept")) + r")\.?"
_YEAR = r"(?:1[5-9]|20)\d\d"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = (
    rf"(?:(?:{_DAY}\s+)?{_MONTH}\s+(?:{_DAY},?\s+)?{_YEAR}"
    rf"|{_YEAR}(?:-\d\d){{0,2}}(?:[-/]\d\d)?|{_MONTH}(?!\w))"
)
_FEAST = r"(?:boxing day|christmas(?: day)?|easter|new year(?:'s day)?|(?:mid|early|late)[ -]?)"
_LEADING = r"(?:(?:back )?(?:in|on|at|by|for|since|during|before|after|from|until|as of|as at|of)\s+)"
_SPAN = r"(?:the (?:end|start|beginning|middle) of\s+)"
_ONE_TO_TEN = "one two three four five six seven eight nine ten".split()
FOLLOW_UPS = FollowUpWords(
    personal=_PERSONAL,
    plural=_PLURAL,
    place=_PLACE,
    impersonal=_IMPERSONAL,
    subjects=_set("he she they it there"),
    objects=_set("it him her them"),
    owners=_set("his her their its"),
    question_words=_WH,
    may_be_subject=_set("who what which"),
    persons_asked=_set("who whose"),
    auxiliaries=_AUXILIARIES,
    with_subject=_set("did do does"),
    articles=_set("the a an"),
    prepositions=_PREPOSITIONS,
    clauses=_set(
        "and or but when while because if that who which whether so before after since as than where how"
    ),
    small=_SMALL,
    past=_set(
        """became began bought brought built came chose cost cut did drew fell felt fought found gave got
        grew had held hit kept knew laid led left lent let lost made meant met paid put ran rose said sat
        saw sent set shut sold spent spoke stood stopped struck swore taught thought threw told took went
        were won wore wrote"""
    ),
    present=_set(
        """agree become begin buy close come cost do drop end fall feel finish get give go happen have hear
        help hold join keep know last lead leave live look lose make mean meet move need open pay put
        reach retire rise run say see sell set show sit spend stand start stay stop take talk tell think
        turn want win work write"""
    ),
    past_ending="ed",
    before_nouns=_set("first second third fourth last next new old main whole former same"),
    empty_subjects=_set("true possible said known that clear right worth"),
    weather=_set("rain raining rained snow snowing snowed sunny cold hot dark late o'clock"),
    numbers={"a": 1, "an": 1, **{word: n for n, word in enumerate(_ONE_TO_TEN, 1)}},
    opener=Wording(r"^(?:and|but|so|ok|okay|then|also)\b[,\s]+"),
    about=Wording(r"^(?:(?:and|but|so)\s+)?(?:what|how) about\s+(?:the\s+)?(?P<rest>.+?)\s*\??$"),
    further=Wording(r"^(?:and|but|or)\s+(?P<rest>.+?)\s*\??$"),
    bare=Wording(
        r"^(?:and\s+|but\s+|so\s+)?"
        r"(?P<wh>why not|why|when|where|how|who|how come|since when|by whom|"
        r"how many|how much|which ones?|what for|says who)"
        r"(?:\s+(?:was|is|did|does|were)\s+(?:that|this|it))?\s*\??$"
    ),
    bare_as={"says who": "who said", "what for": "why", "by whom": "who"},
    who_said=Wording(
        r"^(?:and\s+|so\s+)?who (?P<verb>said|says|wrote|told (?:them|him|her|us)|claimed|reported|"
        r"decided|thought|thinks) (?:that|this|so|it)\s*\??$"
    ),
    other=Wording(r"^(?:and\s+|but\s+)?(?P<wh>who|what|where) else\s*\??$"),
    onward=Wording(
        r"^(?:and (?:then|after that|next)|(?:and\s+)?what (?:happened|came) (?:next|then|afterwards?))"
        r"\s*\??$"
    ),
    others=Wording(r"(?:(?:all|any) )?(?:the )?others?\b"),
    counting=Wording(r"^(?P<wh>how many|how much|which|what)\s+(?P<rest>.+)$"),
    counted=Wording(r"^(?P<wh>how many|how much)\s+(?P<rest>.+)$"),
    of_them=Wording(r"^of (?:them|these|those|it)\b"),
    how_many=frozenset({"how many"}),
    which=_set("which what"),
    that_time=Wording(r"\b(?:by|since|before|after|until|around)?\s*(?:then|that time|that day|that year)\b"),
    then=_anywhere("then"),
    then_is_time=Wording(r"\b(?:by|since|until|before) then\b|then\s*\??$"),
    ends_in_then=Wording(r"\s+(?:that time|then|there)$"),
    after_that=Wording(r"\b(?P<how>after|before|since|until|on|about|with|for|to) (?:that|this)\s*\??$"),
    leading=Wording(_LEADING),
    when=Wording(rf"{_LEADING}?{_SPAN}?(?:{_FEAST}\s*)?{_DATE}"),
    event=Wording(rf"\b(?:before|after|since|until|during)\s+[^?]*?\b{_DATE}"),
    month=_MONTH,
    now=Wording(r"^(?:right )?(?:now|today|at present|currently|these days|nowadays)$"),
    shift=Wording(
        rf"^(?:in |the )?(?:(?P<n>an?|{'|'.join(_ONE_TO_TEN)}|\d{{1,2}}) years?|(?:the )?year|next year)"
        r"\s*(?P<way>later|after(?: that)?|earlier|before(?: that)?|on)?$"
    ),
    backwards=("earlier", "before"),
    at_now="now",
    at_time="in {time}",
    by_time="by {time}",
    who_said_this="who {verb} “{said}”?",
    more_of="{wh} else: {asked}?",
    on_from="what happened after this: {asked}?",
    others_of="who are {rest} of {topic}",
    after_this="{before}{how} this: {asked}?",
    counted_of="of {noun}",
    owner="{meant}'s",
    owner_in_s="{meant}'",
)

# -----------------------------------------------------------------------------------------------------------

_FIGURES = FigureWords(
    spelled={
        word: number
        for number, word in enumerate(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
            "sixteen seventeen eighteen nineteen".split()
        )
    }
    | {
        word: 10 * number
        for number, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
    },
    scales={
        "hundred": 100,
        "thousand": 1000,
        "k": 1000,
        "million": 10**6,
        "mn": 10**6,
        "m": 10**6,
        "billion": 10**9,
        "bn": 10**9,
        "trillion": 10**12,
    },
    joining="and",
    currencies={"pounds": "£", "dollars": "$", "euros": "€"},
    of_time=Wording(
        r"\b(?:in|since|by|of|from|until|till|to|during|and|or|before|after|for|the|early|late|mid|around"
        r"|about|between|spring|summer|autumn|winter)[ -]$"
    ),
)

ENGLISH = Language(
    name="english",
    code="en",
    stemmer="english",
    stop_words=_STOP_WORDS,
    abbreviations=_set(
        """mr mrs ms mx dr prof cllr cllrs rev hon rt st sir messrs sgt insp supt det capt col gen lt maj gov
        sen rep no nos art fig figs para paras sec ch chap vol vols pp p ed eds approx est dept tel ext
        ref refs cf viz vs v e.g i.e eg ie al jan feb mar apr jun jul aug sept sep oct nov dec"""
    ),
    also_words=_set("no art al p"),
    leaning_opener=Wording(
        r"[\"“‘']?(this|that|these|those|it|they|he|she|as a result|therefore|so|but|however|because)\b"
    ),
    reason=Wording(
        r"\b(because|due to|owing to|thanks to|as a result|results? (of|from)|resulted from|so that|so as to"
        r"|in order to|reasons?|caus(e|es|ed)|led to|prompted|blamed?|therefore|mean(s|t) that|in response to"
        r"|for want of|for fear of|explained by|on the (grounds|advice))\b"
    ),
    denials=_set("no not never none neither nor cannot without n't nobody nothing"),
    denying_ending="n't",
    quantifiers=_set("hardly barely few fewer less more most least only all some any every"),
    number_words=_NUMBER_WORDS,
    ordinals=_set("first second last next"),
    no_number=_set("none no"),
    spellings=(("z", "s"), ("our", "or")),
    percent=r"per\s?cent",
    names=_NAMES,
    dates=_DATES,
    figures=_FIGURES,
    questions=_QUESTIONS,
    lines=_LINES,
    notices=_NOTICES,
    follow_ups=FOLLOW_UPS,
)
