"""Words that passwords are commonly made of, for the router and the cloud to refuse the same ones.

One string rather than a set: it stays in the flashed code and costs a small heap nothing. All in lower case,
four characters or more, with letters where people put look-alikes ("passw0rd" is looked up as "password").
Made of the words that head every published ranking of leaked passwords, and of what is printed on routers.
"""

LONGEST = 13

WORDS = (
    # routers and defaults
    " password passwort passwd passphrase motdepasse wachtwoord contrasena senha parola parol sifre admin"
    " administrator root user username guest default login logon signin router modem gateway gatelodge"
    " keenetic wifi wireless internet network secret private public changeme letmein welcome welkom"
    " bienvenue willkommen test tester testing temp temporary system server service support master super"
    " superuser superman access account pass word demo sample example home homewifi office company business"
    " security secure private letme enter open sesame"
    # keyboards
    " qwerty qwertz azerty asdf asdfgh asdfghjkl zxcv zxcvbn zxcvbnm qwertyuiop 1q2w 1q2w3e 1q2w3e4r"
    " 1q2w3e4r5t 1qaz 2wsx 1qaz2wsx 3edc 4rfv 5tgb zaq1 zaq12wsx qazwsx qazwsxedc wsxedc q1w2 q1w2e3"
    " q1w2e3r4 a1b2 a1b2c3 abcd abc123 qweasd qweasdzxc qwer qwert asdasd qweqwe zxczxc poiuy lkjhg mnbvc"
    " 1234 12345 123456 1234567 12345678 123456789 1234567890 0987654321 987654321 87654321 654321 54321"
    " 4321 0123 012345 112233 11223344 121212 123123 123321 1234qwer qwer1234 147258 147258369 159753 159357"
    " 741852 789456 789456123 456789 102030 131313 696969 232323"
    # love, people, animals
    " iloveyou iloveu loveyou loveme love lovely lover mylove trustno trustnoi babygirl baby babe angel"
    " angels princess prince queen king sweet sweety sweetie honey sugar cutie beautiful pretty family"
    " mother father mommy daddy mama papa sister brother friend friends forever together always marie maria"
    " anna sophie sofia emma olivia julia laura sarah lisa nina jessica jennifer michelle nicole ashley"
    " amanda melissa samantha stephanie elizabeth charlotte victoria natasha svetlana elena olga tatiana"
    " ayse fatma mehmet mustafa ahmet michael daniel david robert thomas matthew andrew joshua anthony"
    " william jordan george charlie harley hunter buster tigger ginger pepper shadow maggie bailey cookie"
    " jasper oliver oscar simon peter martin patrick richard alexander alex alexandra andrea sebastian"
    " christian nicolas antoine pierre jean johan hans klaus stefan wolfgang ivan dmitri sergey vladimir"
    " monkey dragon tiger lion eagle falcon panther wolf bear horse dolphin butterfly kitty kitten puppy"
    " chicken turtle spider snake rabbit bunny mouse"
    # games, films, sport
    " football soccer baseball basketball hockey tennis golf golfer swimming fussball voetbal futbol arsenal"
    " chelsea liverpool barcelona realmadrid juventus milan ajax feyenoord anderlecht psvpsv bayern borussia"
    " dortmund schalke galatasaray fenerbahce besiktas spartak zenit dynamo yankees lakers cowboys steelers"
    " eagles rangers ferrari porsche mercedes corvette mustang camaro yamaha honda toyota pokemon pikachu"
    " mario nintendo minecraft fortnite roblox starwars skywalker batman spiderman ironman matrix merlin"
    " gandalf hogwarts harrypotter naruto sonic zelda warcraft counter strike killer ninja pirate warrior"
    " gangster hacker playboy rockstar metallica slipknot nirvana eminem"
    # words, seasons, days, places
    " sunshine summer winter spring autumn sommer zomer lente herfst herbst soleil ocean flower flowers rose"
    " lily daisy orange purple yellow green black white silver golden diamond crystal banana cherry"
    " strawberry chocolate coffee cheese pizza cola beer whisky computer laptop windows samsung google"
    " facebook youtube twitter instagram amazon apple iphone android microsoft oracle linux debian freedom"
    " liberty peace happy happiness smile hello hallo bonjour hola merhaba privet whatever nothing"
    " everything something blessed jesus christ jesuschrist heaven lucky lucky7 magic money dollar trouble"
    " single fuckyou fuckoff asshole bitch shit sexy pussy monday tuesday wednesday thursday friday saturday"
    " sunday january february march april june july august september october november december london paris"
    " berlin amsterdam brussels antwerp moscow moskva kiev kyiv istanbul ankara america england france"
    " germany deutschland nederland belgium belgie russia ukraine ukraina turkey turkiye australia canada"
    " chicago boston texas dallas phoenix denver newyork hallohallo schatz schatzi liebe liefde lieverd"
    " amour jetaime doudou loulou chouchou lyubov lubov solnyshko zvezda askim canim bebegim "
)
