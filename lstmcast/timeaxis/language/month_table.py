"""Names of months and weekdays by language, as the Unicode CLDR 47 has them, and usual others.

Made once from the library babel 2.19 and kept as data: the spelling of a forecast's stamps must not
change with the version of a library, and babel keeps its 36 MB of locales as pickles, which this
program opens nowhere. Each line is one way to spell all twelve months, or all seven weekdays from
Monday on; those of a date within a sentence come first. Abbreviations stand without their dots.
"""

MONTHS = {
    "en": (
        "January|February|March|April|May|June|"
        "July|August|September|October|November|December",
        "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec",
        "Jan|Feb|March|April|May|June|July|Aug|Sept|Oct|Nov|Dec",
    ),
    "es": (
        "enero|febrero|marzo|abril|mayo|junio|"
        "julio|agosto|septiembre|octubre|noviembre|diciembre",
        "ene|feb|mar|abr|may|jun|jul|ago|sept|oct|nov|dic",
        "ene|feb|mar|abr|may|jun|jul|ago|sep|oct|nov|dic",
        "ene|feb|mar|abr|may|jun|jul|ago|set|oct|nov|dic",
        "enero|febrero|marzo|abril|mayo|junio|"
        "julio|agosto|setiembre|octubre|noviembre|diciembre",
    ),
    "pt": (
        "janeiro|fevereiro|março|abril|maio|junho|"
        "julho|agosto|setembro|outubro|novembro|dezembro",
        "jan|fev|mar|abr|mai|jun|jul|ago|set|out|nov|dez",
    ),
    "fr": (
        "janvier|février|mars|avril|mai|juin|"
        "juillet|août|septembre|octobre|novembre|décembre",
        "janv|févr|mars|avr|mai|juin|juil|août|sept|oct|nov|déc",
        "jan|fév|mar|avr|mai|jun|jul|aoû|sep|oct|nov|déc",
        "janv|fév|mars|avr|mai|juin|juil|août|sept|oct|nov|déc",
    ),
    "it": (
        "gennaio|febbraio|marzo|aprile|maggio|giugno|"
        "luglio|agosto|settembre|ottobre|novembre|dicembre",
        "gen|feb|mar|apr|mag|giu|lug|ago|set|ott|nov|dic",
    ),
    "de": (
        "Januar|Februar|März|April|Mai|Juni|"
        "Juli|August|September|Oktober|November|Dezember",
        "Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez",
        "Jan|Feb|März|Apr|Mai|Juni|Juli|Aug|Sept|Okt|Nov|Dez",
        "Jan|Feb|Mrz|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez",
        "Jänner|Feber|Maerz|April|Mai|Juni|"
        "Juli|August|September|Oktober|November|Dezember",
    ),
    "nl": (
        "januari|februari|maart|april|mei|juni|"
        "juli|augustus|september|oktober|november|december",
        "jan|feb|mrt|apr|mei|jun|jul|aug|sep|okt|nov|dec",
        "jan|feb|maa|apr|mei|jun|jul|aug|sept|okt|nov|dec",
    ),
    "ca": (
        "gener|febrer|març|abril|maig|juny|"
        "juliol|agost|setembre|octubre|novembre|desembre",
        "gen|febr|març|abr|maig|juny|jul|ag|set|oct|nov|des",
    ),
    "ro": (
        "ianuarie|februarie|martie|aprilie|mai|iunie|"
        "iulie|august|septembrie|octombrie|noiembrie|decembrie",
        "ian|feb|mar|apr|mai|iun|iul|aug|sept|oct|nov|dec",
        "ian|feb|mar|apr|mai|iun|iul|aug|sep|oct|nov|dec",
    ),
    "pl": (
        "stycznia|lutego|marca|kwietnia|maja|czerwca|"
        "lipca|sierpnia|września|października|listopada|grudnia",
        "styczeń|luty|marzec|kwiecień|maj|czerwiec|"
        "lipiec|sierpień|wrzesień|październik|listopad|grudzień",
        "sty|lut|mar|kwi|maj|cze|lip|sie|wrz|paź|lis|gru",
    ),
    "cs": (
        "ledna|února|března|dubna|května|června|"
        "července|srpna|září|října|listopadu|prosince",
        "leden|únor|březen|duben|květen|červen|"
        "červenec|srpen|září|říjen|listopad|prosinec",
        "led|úno|bře|dub|kvě|čvn|čvc|srp|zář|říj|lis|pro",
        "led|úno|bře|dub|kvě|čer|čvc|srp|zář|říj|lis|pro",
    ),
    "sk": (
        "januára|februára|marca|apríla|mája|júna|"
        "júla|augusta|septembra|októbra|novembra|decembra",
        "január|február|marec|apríl|máj|jún|"
        "júl|august|september|október|november|december",
        "jan|feb|mar|apr|máj|jún|júl|aug|sep|okt|nov|dec",
    ),
    "hr": (
        "siječnja|veljače|ožujka|travnja|svibnja|lipnja|"
        "srpnja|kolovoza|rujna|listopada|studenoga|prosinca",
        "siječanj|veljača|ožujak|travanj|svibanj|lipanj|"
        "srpanj|kolovoz|rujan|listopad|studeni|prosinac",
        "sij|velj|ožu|tra|svi|lip|srp|kol|ruj|lis|stu|pro",
        "siječnja|veljače|ožujka|travnja|svibnja|lipnja|"
        "srpnja|kolovoza|rujna|listopada|studenog|prosinca",
    ),
    "sl": (
        "januar|februar|marec|april|maj|junij|"
        "julij|avgust|september|oktober|november|december",
        "jan|feb|mar|apr|maj|jun|jul|avg|sep|okt|nov|dec",
    ),
    "hu": (
        "január|február|március|április|május|június|"
        "július|augusztus|szeptember|október|november|december",
        "jan|febr|márc|ápr|máj|jún|júl|aug|szept|okt|nov|dec",
        "jan|feb|már|ápr|máj|jún|júl|aug|szep|okt|nov|dec",
        "jan|feb|már|ápr|máj|jún|júl|aug|sze|okt|nov|dec",
    ),
    "sv": (
        "januari|februari|mars|april|maj|juni|"
        "juli|augusti|september|oktober|november|december",
        "jan|feb|mars|apr|maj|juni|juli|aug|sep|okt|nov|dec",
        "jan|feb|mar|apr|maj|jun|jul|aug|sep|okt|nov|dec",
        "jan|feb|mar|apr|maj|jun|jul|aug|sept|okt|nov|dec",
    ),
    "da": (
        "januar|februar|marts|april|maj|juni|"
        "juli|august|september|oktober|november|december",
        "jan|feb|mar|apr|maj|jun|jul|aug|sep|okt|nov|dec",
        "jan|feb|mar|apr|maj|jun|jul|aug|sept|okt|nov|dec",
    ),
    "nb": (
        "januar|februar|mars|april|mai|juni|"
        "juli|august|september|oktober|november|desember",
        "jan|feb|mar|apr|mai|jun|jul|aug|sep|okt|nov|des",
        "jan|feb|mars|apr|mai|juni|juli|aug|sep|okt|nov|des",
        "januar|februar|mars|april|mai|juni|juli|august|sept|oktober|november|desember",
    ),
    "fi": (
        "tammikuuta|helmikuuta|maaliskuuta|huhtikuuta|toukokuuta|kesäkuuta|"
        "heinäkuuta|elokuuta|syyskuuta|lokakuuta|marraskuuta|joulukuuta",
        "tammikuu|helmikuu|maaliskuu|huhtikuu|toukokuu|kesäkuu|"
        "heinäkuu|elokuu|syyskuu|lokakuu|marraskuu|joulukuu",
        "tammi|helmi|maalis|huhti|touko|kesä|heinä|elo|syys|loka|marras|joulu",
        "tam|hel|maa|huh|tou|kes|hei|elo|syy|lok|mar|jou",
    ),
    "et": (
        "jaanuar|veebruar|märts|aprill|mai|juuni|"
        "juuli|august|september|oktoober|november|detsember",
        "jaan|veebr|märts|apr|mai|juuni|juuli|aug|sept|okt|nov|dets",
        "jaan|veeb|mär|apr|mai|jun|jul|aug|sep|okt|nov|det",
    ),
    "lv": (
        "janvāris|februāris|marts|aprīlis|maijs|jūnijs|"
        "jūlijs|augusts|septembris|oktobris|novembris|decembris",
        "janv|febr|marts|apr|maijs|jūn|jūl|aug|sept|okt|nov|dec",
    ),
    "lt": (
        "sausio|vasario|kovo|balandžio|gegužės|birželio|"
        "liepos|rugpjūčio|rugsėjo|spalio|lapkričio|gruodžio",
        "sausis|vasaris|kovas|balandis|gegužė|birželis|"
        "liepa|rugpjūtis|rugsėjis|spalis|lapkritis|gruodis",
        "saus|vas|kov|bal|geg|birž|liep|rugp|rugs|spal|lapkr|gruod",
    ),
    "tr": (
        "Ocak|Şubat|Mart|Nisan|Mayıs|Haziran|Temmuz|Ağustos|Eylül|Ekim|Kasım|Aralık",
        "Oca|Şub|Mar|Nis|May|Haz|Tem|Ağu|Eyl|Eki|Kas|Ara",
    ),
    "id": (
        "Januari|Februari|Maret|April|Mei|Juni|"
        "Juli|Agustus|September|Oktober|November|Desember",
        "Jan|Feb|Mar|Apr|Mei|Jun|Jul|Agu|Sep|Okt|Nov|Des",
    ),
    "el": (
        "Ιανουαρίου|Φεβρουαρίου|Μαρτίου|Απριλίου|Μαΐου|Ιουνίου|"
        "Ιουλίου|Αυγούστου|Σεπτεμβρίου|Οκτωβρίου|Νοεμβρίου|Δεκεμβρίου",
        "Ιανουάριος|Φεβρουάριος|Μάρτιος|Απρίλιος|Μάιος|Ιούνιος|"
        "Ιούλιος|Αύγουστος|Σεπτέμβριος|Οκτώβριος|Νοέμβριος|Δεκέμβριος",
        "Ιαν|Φεβ|Μάρ|Απρ|Μάι|Ιούν|Ιούλ|Αύγ|Σεπ|Οκτ|Νοέ|Δεκ",
        "Ιαν|Φεβ|Μαρ|Απρ|Μαΐ|Ιουν|Ιουλ|Αυγ|Σεπ|Οκτ|Νοε|Δεκ",
    ),
    "ru": (
        "января|февраля|марта|апреля|мая|июня|"
        "июля|августа|сентября|октября|ноября|декабря",
        "январь|февраль|март|апрель|май|июнь|"
        "июль|август|сентябрь|октябрь|ноябрь|декабрь",
        "янв|февр|март|апр|май|июнь|июль|авг|сент|окт|нояб|дек",
        "янв|февр|мар|апр|мая|июн|июл|авг|сент|окт|нояб|дек",
        "янв|фев|мар|апр|май|июн|июл|авг|сен|окт|ноя|дек",
        "янв|фев|мар|апр|мая|июн|июл|авг|сен|окт|ноя|дек",
    ),
    "uk": (
        "січня|лютого|березня|квітня|травня|червня|"
        "липня|серпня|вересня|жовтня|листопада|грудня",
        "січень|лютий|березень|квітень|травень|червень|"
        "липень|серпень|вересень|жовтень|листопад|грудень",
        "січ|лют|бер|квіт|трав|черв|лип|серп|вер|жовт|лист|груд",
        "січ|лют|бер|кві|тра|чер|лип|сер|вер|жов|лис|гру",
    ),
    "bg": (
        "януари|февруари|март|април|май|юни|"
        "юли|август|септември|октомври|ноември|декември",
        "яну|фев|март|апр|май|юни|юли|авг|сеп|окт|ное|дек",
    ),
    "ar": (
        "يناير|فبراير|مارس|أبريل|مايو|يونيو|يوليو|أغسطس|سبتمبر|أكتوبر|نوفمبر|ديسمبر",
    ),
    "hi": (
        "जनवरी|फ़रवरी|मार्च|अप्रैल|मई|जून|जुलाई|अगस्त|सितंबर|अक्टूबर|नवंबर|दिसंबर",
        "जन|फ़र|मार्च|अप्रैल|मई|जून|जुल|अग|सित|अक्टू|नव|दिस",
        "जनवरी|फरवरी|मार्च|अप्रैल|मई|जून|जुलाई|अगस्त|सितम्बर|अक्तूबर|नवम्बर|दिसम्बर",
    ),
}
WEEKDAYS = {
    "en": (
        "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
        "Mon|Tue|Wed|Thu|Fri|Sat|Sun",
        "Mo|Tu|We|Th|Fr|Sa|Su",
    ),
    "es": (
        "lunes|martes|miércoles|jueves|viernes|sábado|domingo",
        "lun|mar|mié|jue|vie|sáb|dom",
        "LU|MA|MI|JU|VI|SA|DO",
    ),
    "pt": (
        "segunda-feira|terça-feira|quarta-feira|quinta-feira|sexta-feira|sábado|domingo",
        "seg|ter|qua|qui|sex|sáb|dom",
    ),
    "fr": (
        "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche",
        "lun|mar|mer|jeu|ven|sam|dim",
        "lu|ma|me|je|ve|sa|di",
    ),
    "it": (
        "lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica",
        "lun|mar|mer|gio|ven|sab|dom",
    ),
    "de": (
        "Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag",
        "Mo|Di|Mi|Do|Fr|Sa|So",
    ),
    "nl": (
        "maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag",
        "ma|di|wo|do|vr|za|zo",
    ),
    "ca": (
        "dilluns|dimarts|dimecres|dijous|divendres|dissabte|diumenge",
        "dl|dt|dc|dj|dv|ds|dg",
    ),
    "ro": (
        "luni|marți|miercuri|joi|vineri|sâmbătă|duminică",
        "lun|mar|mie|joi|vin|sâm|dum",
        "lu|ma|mi|joi|vi|sâ|du",
    ),
    "pl": (
        "poniedziałek|wtorek|środa|czwartek|piątek|sobota|niedziela",
        "pon|wt|śr|czw|pt|sob|niedz",
        "pon|wto|śro|czw|pią|sob|nie",
    ),
    "cs": (
        "pondělí|úterý|středa|čtvrtek|pátek|sobota|neděle",
        "po|út|st|čt|pá|so|ne",
    ),
    "sk": (
        "pondelok|utorok|streda|štvrtok|piatok|sobota|nedeľa",
        "po|ut|st|št|pi|so|ne",
    ),
    "hr": (
        "ponedjeljak|utorak|srijeda|četvrtak|petak|subota|nedjelja",
        "pon|uto|sri|čet|pet|sub|ned",
    ),
    "sl": (
        "ponedeljek|torek|sreda|četrtek|petek|sobota|nedelja",
        "pon|tor|sre|čet|pet|sob|ned",
    ),
    "hu": ("hétfő|kedd|szerda|csütörtök|péntek|szombat|vasárnap",),
    "sv": (
        "måndag|tisdag|onsdag|torsdag|fredag|lördag|söndag",
        "mån|tis|ons|tors|fre|lör|sön",
        "må|ti|on|to|fr|lö|sö",
    ),
    "da": (
        "mandag|tirsdag|onsdag|torsdag|fredag|lørdag|søndag",
        "man|tirs|ons|tors|fre|lør|søn",
        "ma|ti|on|to|fr|lø|sø",
    ),
    "nb": (
        "mandag|tirsdag|onsdag|torsdag|fredag|lørdag|søndag",
        "man|tir|ons|tor|fre|lør|søn",
        "ma|ti|on|to|fr|lø|sø",
    ),
    "fi": (
        "maanantaina|tiistaina|keskiviikkona|torstaina|perjantaina|lauantaina|sunnuntaina",
        "maanantai|tiistai|keskiviikko|torstai|perjantai|lauantai|sunnuntai",
        "ma|ti|ke|to|pe|la|su",
    ),
    "et": ("esmaspäev|teisipäev|kolmapäev|neljapäev|reede|laupäev|pühapäev",),
    "lv": (
        "pirmdiena|otrdiena|trešdiena|ceturtdiena|piektdiena|sestdiena|svētdiena",
        "Pirmdiena|Otrdiena|Trešdiena|Ceturtdiena|Piektdiena|Sestdiena|Svētdiena",
        "pirmd|otrd|trešd|ceturtd|piektd|sestd|svētd",
        "Pirmd|Otrd|Trešd|Ceturtd|Piektd|Sestd|Svētd",
        "Pr|Ot|Tr|Ce|Pk|Se|Sv",
    ),
    "lt": (
        "pirmadienis|antradienis|trečiadienis|ketvirtadienis|penktadienis|šeštadienis|sekmadienis",
        "pr|an|tr|kt|pn|št|sk",
        "Pr|An|Tr|Kt|Pn|Št|Sk",
    ),
    "tr": (
        "Pazartesi|Salı|Çarşamba|Perşembe|Cuma|Cumartesi|Pazar",
        "Pzt|Sal|Çar|Per|Cum|Cmt|Paz",
        "Pt|Sa|Ça|Pe|Cu|Ct|Pa",
    ),
    "id": (
        "Senin|Selasa|Rabu|Kamis|Jumat|Sabtu|Minggu",
        "Sen|Sel|Rab|Kam|Jum|Sab|Min",
    ),
    "el": (
        "Δευτέρα|Τρίτη|Τετάρτη|Πέμπτη|Παρασκευή|Σάββατο|Κυριακή",
        "Δευ|Τρί|Τετ|Πέμ|Παρ|Σάβ|Κυρ",
        "Δε|Τρ|Τε|Πέ|Πα|Σά|Κυ",
    ),
    "ru": (
        "понедельник|вторник|среда|четверг|пятница|суббота|воскресенье",
        "пн|вт|ср|чт|пт|сб|вс",
    ),
    "uk": (
        "понеділок|вівторок|середа|четвер|пʼятниця|субота|неділя",
        "пн|вт|ср|чт|пт|сб|нд",
    ),
    "bg": (
        "понеделник|вторник|сряда|четвъртък|петък|събота|неделя",
        "пн|вт|ср|чт|пт|сб|нд",
    ),
    "ar": (
        "الاثنين|الثلاثاء|الأربعاء|الخميس|الجمعة|السبت|الأحد",
        "إثنين|ثلاثاء|أربعاء|خميس|جمعة|سبت|أحد",
    ),
    "hi": (
        "सोमवार|मंगलवार|बुधवार|गुरुवार|शुक्रवार|शनिवार|रविवार",
        "सोम|मंगल|बुध|गुरु|शुक्र|शनि|रवि",
    ),
}
LANGUAGES = {
    "en": "English",
    "es": "Spanish",
    "pt": "Portuguese",
    "fr": "French",
    "it": "Italian",
    "de": "German",
    "nl": "Dutch",
    "ca": "Catalan",
    "ro": "Romanian",
    "pl": "Polish",
    "cs": "Czech",
    "sk": "Slovak",
    "hr": "Croatian",
    "sl": "Slovenian",
    "hu": "Hungarian",
    "sv": "Swedish",
    "da": "Danish",
    "nb": "Norwegian Bokmål",
    "fi": "Finnish",
    "et": "Estonian",
    "lv": "Latvian",
    "lt": "Lithuanian",
    "tr": "Turkish",
    "id": "Indonesian",
    "el": "Greek",
    "ru": "Russian",
    "uk": "Ukrainian",
    "bg": "Bulgarian",
    "ar": "Arabic",
    "hi": "Hindi",
}
