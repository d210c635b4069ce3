/** Removes the words for units that the Qwen2.5-Math rules know. */

/**
 * The words of those rules (Qwen2.5-Math evaluation, Apache-2.0, taken from MathQA's answers), in their order: each is
 * removed on its own, so that an earlier one decides what a later one finds. A dot stands for any character.
 */
const unitWords =
  "east,degree,mph,kmph,ft,m sqaure, m east,sq m,deg,mile,q .,monkey,prime,ratio,profit of rs,rd,o,gm,p . m,lb,tile,per,dm,lt,gain,ab,way,west,a .,b .,c .,d .,e .,f .,g .,h .,t,a,h,no change,men,soldier,pie,bc,excess,st,inches,noon,percent,by,gal,kmh,c,acre,rise,a . m,th,π r 2,sq,mark,l,toy,coin,sq . m,gallon,° f,profit,minw,yr,women,feet,am,pm,hr,cu cm,square,v â € ™,are,rupee,rounds,cubic,cc,mtr,s,ohm,number,kmph,day,hour,minute,min,second,man,woman,sec,cube,mt,sq inch,mp,∏ cm ³,hectare,more,sec,unit,cu . m,cm 2,rs .,rs,kg,g,month,km,m,cm,mm,apple,liter,loss,yard,pure,year,increase,decrease,d,less,Surface,litre,pi sq m,s .,metre,meter,inch".split(
    ",",
  );

interface UnitPattern {
  /** What a text must hold for the pattern to have a chance. */
  readonly literal: string;
  readonly pattern: RegExp;
}

const outside = "[^\\p{L}\\p{N}_]";
const patterns: readonly UnitPattern[] = [...unitWords, ...unitWords.map((word) => `${word}s`)].map(
  (word) => ({
    literal: word.split(".")[0]!,
    pattern: new RegExp(`(^|${outside})${word}($|${outside})`, "gu"),
  }),
);

/** Two passes, since neighbouring words share the character between them; never leaves nothing. */
export function removeUnitWords(text: string): string {
  let rest = text;
  for (let pass = 0; pass < 2; pass++) {
    for (const { literal, pattern } of patterns) {
      if (!rest.includes(literal)) continue;
      rest = rest.replace(pattern, "$1$2") || rest;
    }
  }
  return rest;
}
