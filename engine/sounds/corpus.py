"""The one table of the corpus: each sound's name, its synthesiser, the rooms it may be in, and its wordings.

The newer sounds are in tables of their own, by family; `corpus_entry.py` says how a wording is written.
"""

from __future__ import annotations

from engine.sounds import (
    ambience,
    animals,
    bells,
    doors,
    drums,
    electronic,
    foley,
    games,
    human,
    impacts,
    instruments,
    interface,
    machines,
    rails,
    road,
    rushes,
    strikes,
    synthetic,
    tools,
    vehicles,
    voices,
    water,
    weapons,
    weather,
    wildlife,
    winds_and_bows,
)
from engine.sounds.corpus_entry import ANYWHERE, NOWHERE, OUTDOORS, SYNTHETIC, CorpusEntry, entry
from engine.sounds.entries_electronic import ELECTRONIC
from engine.sounds.entries_household import HOUSEHOLD
from engine.sounds.entries_machines import MACHINES
from engine.sounds.entries_nature import NATURE

CORPUS: dict[str, CorpusEntry] = {
    "rain": entry(
        weather.rain,
        OUTDOORS,
        "rain; rainfall; rain | falling; a rain shower; a downpour; raindrops; raindrops ~ pattering; a "
        "rainstorm; *falling rain; *rain | pattering down; *pouring rain",
    ),
    "wind": entry(
        weather.wind,
        NOWHERE,
        "wind; wind | blowing; gusts of wind; gusty wind; a windy storm; howling wind; wind | howling; a breeze; "
        "*blowing wind; *a gust of wind; *wind | whistling and howling",
    ),
    "thunder": entry(
        weather.thunder,
        NOWHERE,
        "thunder; a thunder clap; rumbling thunder; a thunderstorm; thunder | rumbling; thunder | rolling; a roll "
        "of thunder; lightning and thunder; *rolling thunder; *a thunderclap; *a rumble of thunder",
    ),
    "ocean": entry(
        water.ocean,
        OUTDOORS,
        "ocean waves; sea waves; waves ~ crashing on the shore; surf; sea waves on a beach; the ocean | roaring; "
        "waves; ocean surf; *waves on a beach; *crashing waves; *waves ~ breaking on a beach; *the sea",
    ),
    "fire": entry(
        weather.fire,
        ANYWHERE,
        "a fire; a crackling fire; a campfire; fire | crackling; a burning fireplace; a fire | burning; flames; "
        "crackling flames; *a bonfire; *fire | burning and crackling; *burning flames",
    ),
    "drops": entry(
        water.drops,
        ANYWHERE,
        "water drops; dripping water; a dripping tap; water | dripping; drips; droplets of water; a leaking tap; "
        "water | dripping from a tap; drops of water; *a dripping faucet; *water droplets; *drops ~ dripping",
    ),
    "dog": entry(
        animals.dog,
        ANYWHERE,
        "a dog; a dog | barking; a barking dog; dog barks; dogs ~ barking; barking; a dog bark; a puppy | "
        "barking; *a dog | yapping and barking; *the bark of a dog; *woofs of a dog",
    ),
    "cat": entry(
        animals.cat,
        ANYWHERE,
        "a cat; a cat | meowing; a meowing cat; cat meows; meowing; a kitten; a kitten | meowing; a meow; *a cat "
        "meow; *cats ~ meowing; *the meow of a kitten",
    ),
    "cow": entry(
        animals.cow,
        ANYWHERE,
        "a cow; a cow | mooing; a mooing cow; cow moos; mooing; cattle; cattle ~ lowing; cows ~ mooing; *the moo "
        "of a cow; *cattle ~ mooing; *a cow moo",
    ),
    "frog": entry(
        animals.frog,
        ANYWHERE,
        "a frog; a frog | croaking; a croaking frog; frog croaks; frogs ~ croaking; croaking; a toad; a toad | "
        "croaking; *the croak of a frog; *frogs; *croaking toads",
    ),
    "birds": entry(
        animals.birds,
        ANYWHERE,
        "birds; birds ~ chirping; birdsong; chirping birds; birds ~ singing; a bird; bird calls; a bird | "
        "tweeting; tweeting birds; *bird song; *a bird | chirping; *singing birds",
    ),
    "crickets": entry(
        animals.crickets,
        ANYWHERE,
        "crickets; crickets ~ chirping at night; chirping crickets; insects ~ chirping; night insects; a cricket; "
        "crickets ~ chirping; insects; *a cricket | chirping; *crickets at night; *chirping insects",
    ),
    "engine": entry(
        road.engine,
        ANYWHERE,
        "an engine; a car engine; a motor; a motor | running; a vehicle engine; an engine | running; a car; an "
        "engine rumble; *a truck engine; *a car motor; *a running engine",
    ),
    "helicopter": entry(
        vehicles.helicopter,
        ANYWHERE,
        "a helicopter; a helicopter rotor; a helicopter | flying; helicopter blades; a chopper; a chopper | "
        "hovering; rotor blades; a helicopter | hovering; *a flying helicopter; *a hovering chopper; *helicopters "
        "~ flying over",
    ),
    "drill": entry(
        tools.drill,
        ANYWHERE,
        "a drill; a power drill; drilling; an electric drill; a drill | running; someone | drilling; a drill | "
        "boring into a wall; a drilling machine; *an electric drill | whirring; *drilling into a wall; *power "
        "drilling",
    ),
    "train_horn": entry(
        rails.train_horn,
        ANYWHERE,
        "a train horn; a train | blowing its horn; train horns; a locomotive horn; train horn blasts; a train horn | "
        "blowing; locomotive horns; a railway horn; *the horn of a train; *a locomotive | blowing its horn; *horn "
        "blasts of a locomotive",
    ),
    "clock": entry(
        foley.clock,
        ANYWHERE,
        "a clock; a clock | ticking; a ticking clock; ticking; a watch | ticking; the tick tock of a clock; clock "
        "ticks; a ticking watch; *a wall clock | ticking; *the ticking of a clock; *tick tock",
    ),
    "typing": entry(
        foley.typing,
        ANYWHERE,
        "typing; typing on a keyboard; keyboard typing; someone | typing; a computer keyboard; keyboard clicks; a "
        "keyboard; someone | typing on a keyboard; *a person | typing; *computer typing; *keys of a keyboard",
    ),
    "footsteps": entry(
        foley.footsteps,
        ANYWHERE,
        "footsteps; a person | walking; walking footsteps; someone | walking; steps; walking; footfalls; someone "
        "| stepping along; *a man | walking; *the steps of someone walking; *footstep sounds",
    ),
    "knock": entry(
        strikes.knock,
        ANYWHERE,
        "door knocks; knocking; knocking on a door; someone | knocking; a knock at the door; door knocking; "
        "someone | knocking on a door; a knock; *a door knock; *knocks on a door; *a visitor | knocking",
    ),
    "explosion": entry(
        impacts.explosion,
        ANYWHERE,
        "an explosion; a bomb; a bomb blast; a detonation; a blast; a bomb | exploding; an exploding bomb; a "
        "boom; *an explosive blast; *a bomb | detonating; *a bomb explosion",
    ),
    "glass": entry(
        impacts.glass,
        ANYWHERE,
        "glass; glass | breaking; breaking glass; shattering glass; a window | smashing; glass | shattering; "
        "broken glass; a glass smash; *a window | breaking; *smashing glass; *a shattering window",
    ),
    "whoosh": entry(
        rushes.whoosh,
        ANYWHERE,
        "a whoosh; whooshing; a swoosh; air | swooshing past; whooshes; a swish; a whooshing pass; something | "
        "whooshing past; *swooshes; *a whooshing swoosh; *something | swooshing by",
    ),
    "door_creak": entry(
        doors.door_creak,
        ANYWHERE,
        "a creaking door; a door | creaking; a creak; a door creak; creaking hinges; a squeaky door; a door | "
        "creaking open; creaking; *the creak of a door; *a creaky hinge; *hinges ~ creaking",
    ),
    "siren": entry(
        electronic.siren,
        ANYWHERE,
        "a siren; a police siren; an ambulance siren; an emergency siren; a siren | wailing; sirens; a wailing "
        "siren; police sirens ~ wailing; *an ambulance siren | wailing; *ambulance sirens; *a police car siren",
    ),
    "alarm": entry(
        electronic.alarm,
        ANYWHERE,
        "an alarm; alarm beeps; a beeping alarm; electronic beeping; an alarm | beeping; beeps; beeping; a beep "
        "tone; *a warning alarm; *an alarm beep; *beeps ~ sounding",
    ),
    "phone": entry(
        electronic.phone,
        ANYWHERE,
        "a phone; a telephone; a telephone | ringing; a phone | ringing; a ringing phone; a telephone ring; a "
        "ringtone; phone rings; *a ringing telephone; *phones ~ ringing; *a phone ringtone",
    ),
    "laser": entry(
        games.laser,
        ANYWHERE,
        "a laser; laser shots; a laser gun; a laser gun | firing; sci-fi blaster shots; a ray gun; a blaster; "
        "lasers ~ shooting; *laser blasts; *a laser | shooting; *a blaster shot",
        SYNTHETIC,
    ),
    "coin": entry(
        games.coin,
        ANYWHERE,
        "a coin; coins; a coin | ringing; a coin sound; collecting coins; coins ~ ringing; a ringing coin; a coin "
        "effect; *ringing coins; *coin collecting; *coin effects; *chinking coins",
    ),
    "drone": entry(
        synthetic.drone,
        NOWHERE,
        "a drone; a synth drone; a synthesizer pad; a droning pad; an ambient drone; a synth pad; a synthesizer | "
        "droning; ambient synth; *a pad synth; *a droning synthesizer; *a synth | droning",
        SYNTHETIC,
    ),
    "kick": entry(
        drums.kick,
        ANYWHERE,
        "a kick drum; a bass drum; kick drum hits; a kick drum beat; a bass drum beat; kicks; a kick; a kick drum "
        "| playing; *bass drum hits; *kick drum beats; *a bass drum | beating",
        SYNTHETIC,
    ),
    "snare": entry(
        drums.snare,
        ANYWHERE,
        "a snare drum; snare hits; a snare; a snare drum pattern; snare drum hits; a snare beat; a snare drum | "
        "playing; snare rolls; *snare drum beats; *hits on a snare; *a snare | hitting",
        SYNTHETIC,
    ),
    "hihat": entry(
        drums.hihat,
        ANYWHERE,
        "a hi-hat; a hi-hat pattern; a hi-hat rhythm; hi-hats; hi-hat cymbals; a hihat; hi-hat hits; a hi-hat | "
        "playing; *hihats; *a cymbal hi-hat; *hi-hats ~ playing",
        SYNTHETIC,
    ),
    "bell": entry(
        bells.bell,
        ANYWHERE,
        "a bell; a hand bell; a bell | ringing; a bicycle bell; a ringing bell; a hand bell | ringing; a "
        "handbell; a bell ring; *a bike bell; *handbells ~ ringing; *the ring of a bell",
    ),
    "church_bell": entry(
        bells.church_bell,
        ANYWHERE,
        "a church bell; church bells; church bells ~ tolling; a tower bell; a cathedral bell; a church bell | "
        "ringing; a tolling church bell; church bells ~ ringing; *cathedral bells; *a church tower bell; *a "
        "church bell | tolling",
    ),
    "applause": entry(
        human.applause,
        ANYWHERE,
        "applause; clapping; people ~ clapping; an audience | clapping; a crowd | applauding; an applauding "
        "audience; hand clapping; a clapping crowd; *an audience | applauding; *people ~ applauding; *crowd "
        "applause",
    ),
    "stream": entry(
        water.stream,
        OUTDOORS,
        "a stream; a brook; a babbling brook; a stream | flowing; a brook | babbling; a river; a river | flowing; "
        "a trickling creek; *a babbling stream; *a flowing brook; *a creek | trickling; *a flowing river",
    ),
    "bubbles": entry(
        water.bubbles,
        ANYWHERE,
        "bubbles; underwater bubbles; bubbles ~ rising; bubbling water; water | bubbling; boiling water; water | "
        "boiling; a pot | boiling; *bubbles ~ bubbling; *water bubbles; *a bubbling pot; *bubbles ~ rising "
        "underwater",
    ),
    "sheep": entry(
        wildlife.sheep,
        ANYWHERE,
        "a sheep; a sheep | bleating; a bleating sheep; sheep bleats; bleating; a lamb; a lamb | bleating; a goat "
        "| bleating; *the bleat of a lamb; *sheep ~ bleating; *a bleating goat",
    ),
    "horse": entry(
        wildlife.horse,
        ANYWHERE,
        "a horse; horse hooves @act=moving; a horse | trotting @act=moving; a horse | galloping @act=moving; hoofbeats "
        "@act=moving; hooves ~ clopping @act=moving; horses ~ trotting @act=moving; a galloping horse @act=moving; a "
        "horse | neighing @act=calling; a neighing horse @act=calling; horses ~ neighing @act=calling; a whinny "
        "@act=calling; a horse | whinnying @act=calling; a horse | snorting @act=calling; horses; *a trotting horse "
        "@act=moving; *horses ~ galloping @act=moving; *the hooves of a horse @act=moving; *clopping hooves "
        "@act=moving; *a whinnying horse @act=calling; *the neigh of a horse @act=calling; *a snorting horse "
        "@act=calling; *some horses",
    ),
    "rooster": entry(
        wildlife.rooster,
        ANYWHERE,
        "a rooster; a rooster | crowing; a crowing rooster; a cock | crowing; a rooster crow; crowing; a cockerel; "
        "a cockerel | crowing; *a crowing cockerel; *the crow of a rooster; *roosters ~ crowing; *a cock crow",
    ),
    "owl": entry(
        wildlife.owl,
        ANYWHERE,
        "an owl; an owl | hooting; a hooting owl; owl hoots; hooting; owls ~ hooting; an owl | hooting at night; "
        "an owl hoot; *the hoot of an owl; *owls ~ hooting at night; *hooting owls",
    ),
    "wolf": entry(
        wildlife.wolf,
        ANYWHERE,
        "a wolf; a wolf | howling; a howling wolf; wolf howls; wolves ~ howling; wolves; a lone wolf | howling; a "
        "coyote | howling; *howling wolves; *the howl of a wolf; *a lone wolf; *a howling coyote",
    ),
    "bees": entry(
        wildlife.bees,
        ANYWHERE,
        "bees; bees ~ buzzing; a swarm of bees; buzzing bees; a beehive; a bee swarm; a swarm | buzzing; wasps ~ "
        "buzzing; *a buzzing swarm; *a swarm of wasps; *a beehive | buzzing; *buzzing wasps",
    ),
    "crowd": entry(
        ambience.crowd,
        ANYWHERE,
        "a murmuring crowd; a crowd | murmuring; crowd chatter; a chattering crowd; the murmur of voices; people ~ "
        "chattering; restaurant chatter; the hubbub of a crowd; *people ~ murmuring; *the chatter of a crowd; "
        "*murmuring voices; *a crowd | chattering",
    ),
    "traffic": entry(
        road.traffic,
        OUTDOORS,
        "traffic; city traffic; road traffic; street traffic; traffic | passing by; traffic on a road; motorway "
        "traffic; traffic noise; *traffic on a motorway; *traffic | passing on a street; *city street traffic",
    ),
    "motorcycle": entry(
        road.motorcycle,
        ANYWHERE,
        "a motorcycle; a motorcycle engine; a motorbike; a motorbike | running; a motorcycle | running; a "
        "motorcycle motor; motorbikes; motorcycles ~ running; *a motorbike engine; *a running motorcycle; *the "
        "motor of a motorbike",
    ),
    "airplane": entry(
        vehicles.airplane,
        OUTDOORS,
        "an airplane; a plane; an aircraft; an aeroplane; an airplane | flying over; a plane | passing overhead; "
        "an aircraft | flying past; a passing airplane; *a plane | flying over; *an aeroplane | passing overhead; "
        "*a passing aircraft",
    ),
    "train": entry(
        rails.train,
        OUTDOORS,
        "a train; a train | rolling over rail joints; a train | clattering along; train wheels on the rails; a "
        "train ride; a passing train; a railway train; a clattering railway; *a clattering train; *a train | "
        "rolling on the rails; *the clatter of train wheels",
    ),
    "car_horn": entry(
        road.car_horn,
        ANYWHERE,
        "a car horn; a car | honking; honking; a honking car; car horns; a car | honking its horn; a honk; an "
        "automobile horn; *a honking horn; *the horn of a car; *an automobile | honking; *cars ~ honking",
    ),
    "chainsaw": entry(
        tools.chainsaw,
        ANYWHERE,
        "a chainsaw; a chain saw; a chainsaw | cutting wood; a chainsaw | running; a chain saw | sawing a tree; "
        "sawing with a chainsaw; chainsaws; a chain saw | running; *a chainsaw | sawing wood; *a chain saw | "
        "cutting a tree; *a running chainsaw",
    ),
    "vacuum": entry(
        machines.vacuum,
        ANYWHERE,
        "a vacuum cleaner; a vacuum; vacuuming; a vacuum cleaner | running; someone | vacuuming; a hoover; "
        "hoovering; a vacuum cleaner | whirring; *a hoover | running; *someone | hoovering; *a running vacuum "
        "cleaner; *a vacuum | whirring",
    ),
    "hammer": entry(
        tools.hammer,
        ANYWHERE,
        "a hammer; hammering; someone | hammering; hammer blows; a hammer | hitting; a hammer | striking; hammer "
        "strikes; hammers ~ hammering; *blows of a hammer; *a striking hammer; *strikes of a hammer; *someone | "
        "striking with a hammer",
    ),
    "door_slam": entry(
        doors.door_slam,
        ANYWHERE,
        "a door slam; a slamming door; a door | slamming; a door | slamming shut; slamming; a door | banging "
        "shut; a slammed door; door slams; *the slam of a door; *doors ~ slamming; *a banging door; *doors ~ "
        "banging shut",
    ),
    "gunshot": entry(
        weapons.gunshot,
        ANYWHERE,
        "a gunshot; gunshots; gunfire; a gun | firing; a rifle shot; pistol shots; a pistol | firing; guns ~ "
        "shooting; *a firing gun; *a pistol shot; *a rifle | shooting; *shots of a gun",
    ),
    "sword": entry(
        weapons.sword,
        ANYWHERE,
        "a sword; swords ~ clashing; a sword fight; clashing swords; sword swings; a blade | clashing with a "
        "blade; a clash of swords; a sword | swinging and clashing; *fighting swords; *a clashing blade; *swinging "
        "swords; *the clash of a sword",
    ),
    "power_up": entry(
        games.power_up,
        ANYWHERE,
        "a power-up; a powerup; a game power-up; a sci-fi power-up; powering up; a video game powerup; a level up "
        "arpeggio; a magic power-up; *a sci-fi powerup; *power-ups in a video game; *a magic powerup; *a game "
        "arpeggio",
        SYNTHETIC,
    ),
    "click": entry(
        interface.click,
        ANYWHERE,
        "a click; clicks; a mouse click; a button click; a mouse | clicking; clicking; an interface click; button "
        "clicks; *clicks of a mouse; *a clicking button; *interface clicks; *a button | clicking",
    ),
    "notification": entry(
        interface.notification,
        ANYWHERE,
        "a notification; a notification chime; a message notification; an app notification; an alert chime; a "
        "chime; an interface notification; a message chime; *app chimes; *a message alert chime; *a chiming "
        "notification; *notifications of an app",
        SYNTHETIC,
    ),
    "shaker": entry(
        instruments.shaker,
        ANYWHERE,
        "a shaker; maracas; a maraca; a shaker | playing; a shaker rhythm; shaking maracas; maracas ~ shaking; a "
        "shaker pattern; *a maraca rhythm; *a maraca | playing; *shakers; *a shaking maraca",
    ),
    "piano": entry(
        instruments.piano,
        ANYWHERE,
        "a piano; a piano | playing; piano music; a grand piano; a piano tune; piano playing; someone | playing "
        "the piano; a piano melody; *a playing piano; *a grand piano | playing; *a pianist | playing the piano; "
        "*music on a piano",
    ),
    "guitar": entry(
        instruments.guitar,
        ANYWHERE,
        "a guitar; a guitar | playing; an acoustic guitar; guitar music; a plucked guitar; guitar strings; someone "
        "| playing the guitar; guitar plucking; *an acoustic guitar | playing; *a guitarist | playing the guitar; "
        "*plucked strings of a guitar; *music on a guitar",
    ),
    "flute": entry(
        winds_and_bows.flute,
        ANYWHERE,
        "a flute; a flute | playing; a flute melody; flute music; a flute tune; someone | playing the flute; a "
        "breathy flute; flutes ~ playing; *a flutist | playing the flute; *music on a flute; *a playing flute; "
        "*flute melodies",
    ),
    "singing": entry(
        voices.singing,
        ANYWHERE,
        "singing; a singer; a singer | singing; a person | singing; a singing voice; someone | singing; a "
        "vocalist; a singer | singing a melody; *a singing person; *singers ~ singing; *a vocalist | singing; *the "
        "voice of a singer",
    ),
    "laughter": entry(
        voices.laughter,
        ANYWHERE,
        "laughter; laughing; a person | laughing; someone | laughing; a laugh; laughs; a laughing person; a "
        "laughing voice; *a man | laughing; *a laughing man; *the laugh of a person; *the laughing of a person",
    ),
    "speech": entry(
        voices.speech,
        ANYWHERE,
        "speech; a person | speaking; a person | talking; a speaking voice; someone | talking; talking; gibberish; "
        "someone | speaking; *a man | talking; *a talking voice; *speaking; *a talking person; *gibberish speech",
    ),
    **NATURE,
    **MACHINES,
    **HOUSEHOLD,
    **ELECTRONIC,
}
