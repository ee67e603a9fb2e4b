"""The corpus's newer sounds of animals, water and people."""

from __future__ import annotations

from engine.sounds import beasts, fowl, water
from engine.sounds.corpus_entry import ANYWHERE, NOWHERE, OUTDOORS, CorpusEntry, entry

NATURE: dict[str, CorpusEntry] = {
    "crow": entry(
        fowl.crow,
        ANYWHERE,
        "a crow; a crow | cawing; a cawing crow; crows; crows ~ cawing; cawing; a raven; a raven | croaking; a crow "
        "caw; ravens ~ cawing; *the caw of a crow; *a raven | cawing; *cawing crows; *crow calls",
    ),
    "seagull": entry(
        fowl.seagull,
        OUTDOORS,
        "a seagull; seagulls; a seagull | crying; seagulls ~ crying; gulls; a gull; a gull | squawking; gulls ~ "
        "screeching; seagull cries; sea gulls; *crying seagulls; *gulls ~ crying; *a seagull | screeching; *the cry "
        "of a gull",
    ),
    "duck": entry(
        fowl.duck,
        ANYWHERE,
        "a duck; a duck | quacking; a quacking duck; ducks; ducks ~ quacking; quacking; duck quacks; a mallard; a "
        "mallard | quacking; a quack; *quacking ducks; *the quack of a duck; *mallards ~ quacking; *a duck quack",
    ),
    "chicken": entry(
        fowl.chicken,
        ANYWHERE,
        "a chicken; chickens; a chicken | clucking; a hen; a hen | clucking; hens ~ clucking; clucking; chickens ~ "
        "clucking; a clucking hen; a chicken coop; a hen | cackling; *clucking chickens; *hens; *the cluck of a "
        "chicken; *chickens ~ cackling",
    ),
    "cuckoo": entry(
        fowl.cuckoo,
        ANYWHERE,
        "a cuckoo; a cuckoo | calling; a calling cuckoo; cuckoo calls; a cuckoo bird; the call of a cuckoo; cuckoos; "
        "a cuckoo | calling in the woods; *the cuckoo | calling; *cuckoos ~ calling; *a cuckoo in the woods",
    ),
    "pig": entry(
        beasts.pig,
        ANYWHERE,
        "a pig; pigs; a pig | oinking; a pig | grunting; a grunting pig; pigs ~ grunting; a pig | squealing; oinks; "
        "a hog; a hog | grunting; a pigsty; *an oinking pig; *pigs ~ oinking; *grunting pigs; *the oink of a pig",
    ),
    "lion": entry(
        beasts.lion,
        ANYWHERE,
        "a lion; a lion | roaring; a roaring lion; lions; a lion roar; a lion | growling; the roar of a lion; lions "
        "~ roaring; a tiger; a tiger | growling; *a growling lion; *tigers ~ growling; *lions ~ growling; *a tiger | "
        "roaring",
    ),
    "mosquito": entry(
        beasts.mosquito,
        NOWHERE,
        "a mosquito; mosquitoes; a mosquito | whining; a mosquito | buzzing; a whining mosquito; a gnat; a fly; a fly "
        "| buzzing; the whine of a mosquito; a buzzing mosquito; *mosquitoes ~ buzzing; *a gnat | whining; *a "
        "buzzing fly; *the buzz of a mosquito",
    ),
    "cough": entry(
        beasts.cough,
        ANYWHERE,
        "a cough; coughing; a person | coughing; someone | coughing; coughs; a coughing fit; a coughing person; "
        "hacking coughs; a man | coughing; *a woman | coughing; *the cough of a person; *people ~ coughing; *a fit "
        "of coughing",
    ),
    "heartbeat": entry(
        beasts.heartbeat,
        NOWHERE,
        "a heartbeat; heartbeats; a heart | beating; a beating heart; the beat of a heart; a heart | pounding; a "
        "pounding heart; a human heartbeat; heart beats; *a heart beat; *hearts ~ beating; *a heart | thumping; *a "
        "human heart",
    ),
    "splash": entry(
        water.splash,
        ANYWHERE,
        "a splash; a splash of water; water | splashing; splashing; splashes; something | splashing into water; a "
        "stone | splashing into a pond; someone | diving into water with a splash; splashing water; *water splashes; "
        "*a stone splash; *something | splashing down; *a splash in a pond",
    ),
}
