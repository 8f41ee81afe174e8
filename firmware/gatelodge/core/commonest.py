"""The commonest passwords of eight characters and more, so that none of them is taken: a Bloom filter.

It holds those of the 3,000 commonest that core/password.py's rules do not refuse already, and nothing of them
can be read from it. One good password in about a thousand is refused as well, and another one has to be
thought of. The list is that of the PyPI package zxcvbn; tests/host_tools/test_commonest.py makes the filter
from it, and compares. One string, which a small heap need not unpack: six bits a character.
"""

from gatelodge import compat

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
BITS_EACH = 6
PROBES = 10  # the best number for 14 bits an entry


def places(text, bits):
    """The bits of a filter of that many which stand for the text (Kirsch and Mitzenmacher, 2006)."""
    digest = compat.sha256(text.encode())
    first, step = int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big") | 1
    return [(first + number * step) % bits for number in range(PROBES)]


def holds(text):
    """Whether a text in lower case is among the commonest passwords."""
    for place in places(text, len(FILTER) * BITS_EACH):
        if not ALPHABET.find(FILTER[place // BITS_EACH]) >> place % BITS_EACH & 1:
            return False
    return True


FILTER = (
    "fGNV4ErUk868cbA9YqX3n5gKLt6fbEGEh3fuEkDLBtqNMX2ZF29XeT04tM0gYTVfSmdJtNHDTCh5qlHrN2q9KmCPyFXNccpRxM6V"
    "kW3uR-vh79X5-ZxTIvwz3F5f60eC54MAe3_S69QxSUE396vQ_ELvS6LHwL_ISijxBAl6b-H7p3bUHhTNflWPPhrkdlegM-iecnCq"
    "C2mHXBZ53T9ezqEqS3t2YLbAcNVq8sjVLxscI9yU-ADkwpPgvhgXdfzqbCeiaiZrjJXIBCK5z9PJ2EjizTexckfhHUNqANqiauXq"
    "oSbtnB7e5r1U4qKu8Rmxutfe9bi_yUEg_fjBQ28ea-USXlmMyEaLvA3Jbkdgj0JPFPJoYNaeld4r3JD7SvhGbpmzMyvop3AUJVCB"
    "ndMhXU3AIy6_xtUi6bR67Auo4TJ3uyNv8swaYgbCiZkQL0SqZ52bQaSgS8RKor_AhIDVa-woZk8QZsdxGp--5oo3lOigZf4S7RMB"
    "TDLai_bj25Zj3FhgBIpbNN7c3bpvUtFN22l-fHWAk5iBW579HfiCDRBkINGMtVwyiR_QEIuXvBPU01hKwm3I7dRvUYvitC0Ixb-k"
    "Q_uXOGifJDWXQ2pnmcMx9NgUyujUCoswXchnyBOCSQaaHA_oXSFGkSGX9Gpe9NpZO8l2ZCSkykHd6wiMBL9s02wFGuG0zcDDn5TO"
    "Zi6q4ntoDzUadUZJ-HOSQtHK4_mOvk7spJSgbX1GeF9BopHIKwJLL7UrLszNMgBWVbZWza-Wow0hmAMpTvZsyWNnT2fvRZSv4UAk"
    "u5TG-FRXs2GizepP42KuxvgbqpbMHBC5fgfk-5Zi8JCUIy6cmjpIubTGRq1ivtiF3tEezgHA4Y1Xn2dbYMHLPRX9xPDU1LZNPh80"
    "my4Vw7bD6_KivSjp7IxlYyUeQVuqRpgcshSQAnaxYxSRWLD_ry-4OlQaL3Zrrcju2o6SeSwyVFMMi-W67vFx3ghg3OoGvdFfA1gq"
    "rCR4PT7sjWKgvR9IZ47NahzgE6jHj0rz8onN0VwTAKw-1SE_GNESA7FFSqnV2Rjq0iivwDBB_26nVI-kn-me8jgqiKcgUVIqiT2z"
    "MuH3Yu8Ev7w-aG5uM8ye4x2BpmAnYTnKQAdcGFgL0KgY-_yu8AIeLgzgLKkV6xPkavMwydOAQgH2d2IDXCfRSBBk02p_20Nh8Qaz"
    "Qp9rCk7KUX-TBzmzuxiKDYkWa5Pwo8edLhtNe2XPhSllRAObbrYQ8GRV6MceX7aEM8RSoolYq0DC6Nju3yS6ggMC7QnHqb5HTX0Z"
    "yEKjCnG9HDWIwr3eQAcNV69ggBjypcUMWRv9coD0kWrbU7-1uqzmRwodC4IRSmpkwh822BjgB3cpJ_kubD8SdIbAEz9OjZJYdGvF"
    "QqJQO-sVGyCA_HYe3UfMHnd2mgdqDD286C4Ln-leXcBnja2D7fEzMqZx9GUNZiuvHfHPGhz0z-Tq1eawGhh40uYUwkeM4tgBT1fT"
    "6EsgLjFivOFVzljm2gObmZ9K22r3ckvysPFJDK_FJrofD2xBPn3BlRe_HVoichk5M5nGNu7zHJDV4yA005VVOWwm8z_CwbM4gqkJ"
    "ph3DS96ZEtJm34yFfDJ_az3uJTyczUtFVXZIqeb-OEoWBGRNwWkxBCYTw1aYReeettGeSV01h_deR4tFVSmlouiQKZJII29aJ8sQ"
    "ebCw1OJE-zG_zPJE3wuwltNPkAejisePL-XuJbxT6oQNBduhOQZgeq9Cwxe3Ue86Dpf9eJpLJIeZ3XFNfU5TiHLR8B0YErVy-J8H"
    "U-a11c0nJzLFnEPB-J8lmfPDAUqyc6qrYbsKjjXIy5uoO3vcpYFmB8BDLtrV_EScQTIpD2JpD93M_hL5MduQW5NfEUVRTDMVcZFu"
    "uBV5Pweuj2pe3V57vpXE1cSkqzCmOYQfYLbJ43eOTsz7k4kMpossUEChCVyCcepc3rGEOvys4RRae8b9BykG6e1k0cgh9SdSQGdd"
    "2LEgf22aCCYM0xj9vi7LS047Ex-uUYVz18YBzEzby_GohzxQOG98IGUcp6dC77PBLVNFBKhyjcvjK2w4ZSkHVzAukwzNWsGU5cG3"
    "5yejTvsZ2syxL4QXEgB4QPnnR3GaRuMWDQMlkYT8CsVmLwJiy1XPGHGV_J3L7FesW-fCTM1xRi2RAm-XFmaNijJlTSkOyediPLUI"
    "uCGF2qJnPyJWUefd_Lhs9gsFV5TbmiktMV1K9mDLNrAGc7iRFMVWwSGRQxkTB2SznS46TH1nqTTDAZTR1O0Sw7tccCbSUBMS2sxt"
    "iWvn95RZ-WSiTMhCUvK6JRVHjt8EXGERLFunYCXFrduA7ERkh1yKjFbFkzNdfRXpLF1rBLW-vrl3LtTyQU1ByFiVfkP9Q1SLIAug"
    "cQBuLWA50ewnOuoD97C2bNPuX4-hIfRkARERZoE6iGsbHpGIHbpmIfOKJKn--WvA1Eo53LGl2SuV3atroQ7IjQ-V7_2brmvuF3-A"
    "7NXVFRbJqpV3VXMMUswJSoD-HdodrATgmaqfJDv3pPV2LBew9VS6PH0bIZ3XLpUnh38WdBn4NByAEIi5q8sWkI6q11Nh0qT2lPal"
    "WZQad7UTC4QwyMo7jJbZmIfJBOJUWfvmP3VDQ21-V126A7Ov71uhxi-7snz_7SQ7rM8uk4fdvK5RCW7j0tkKS89kM_B25OWDA4Ac"
    "B69btM3Th6Ukid2x5k2LwccvInhJoDWCu_GgMYn4TMcWrUWna0Jjac350TQ3hzBOgyctbqMEYNI7gEEziPIibLTM425mH8P0zdt_"
    "HLCETLW2vJw2dwSICPVadS7MVl8SKEbKq3PTMEFZ11B9zhOzrQysG2_YFdGv77mrElNJqg95nuFtrqswOJwzTBO2Lk9pR1Sf1Lq-"
    "IxIZTxa5AbKg8LIuIySPn9kYWZv5AFNmsgVRAn8tTQzpRuTji_8Lxo1Yh3tU_h0p7lYCzIm58hv9uBOOmTiCu_jU6NJbj0y4d6Rq"
    "3HZPo-IK7DTxg0-rbGdqZzthT7BzdOJZ3C-kLN-Db0rABilGCxw9Y36fQbtIbK0HcNtxlrtPBZb87lnp33gzxnAD7BnZ7xjyuR19"
    "ccQtTJ3wZX3ohIFPuw7P3QiD75ahIefLrZ4GdUP7abS_VbdRFHthRRRNP88TyGmAw4tUhq5S6OXQ4hltJya8mzymtFVNlXODDuSX"
    "32KZIGw-1Qv3K3lYgX0GY2MHNTk1Or6-2H-h2AcHeFIlWJHlg9eSjHh3075bdlM2VHHo6YWCpU2Y-_Fu4Ef8OCKoUQmZugZcjR5j"
    "BA9X12tOo1TVkgOiu4AqsAFDMRkPEVAZw4I8-kdtkRr4s9v_ETyl4b2E0Wcu9abCKXA6ClHtCxA4ovZp1pbt9q3-xxowwg2dIjEu"
    "EcPw3YuoSOpMa_3dTw-ezIYkp5CSmNvXgIomM2i-NwMJP1XbcJr1kDzQk1OkDxaM_j_AtM3TOmRysIfeEXUdvbG9kvalvBYcUm-C"
    "kO7k7otILNG1hDtUgTBy8ttFuKBoVYFKUwyoEp9bZMK9Sx-vLikC3A2AL4Cb1CcsbLJ2YN5JoAJeAhMB-ieZO0HePy88viFmwUbG"
    "1WcK8DxWYzRvwpTSadiZ23_ombTuM3-0k9LnuIa-udTuvqYkis49ZPTDkiL70iad4fs0qUOX9RFz5jExGrz3PVlUxjXdpVi-pmvU"
    "n1jF98K0czw6Y-86AfGYqQg8G-dRHofrEd-Wb-KXa1z0Alp4NgogFwZTiZcBWVJGw_J_t-skeLujSIcFrM6WHvGJPjD0SA2ir7Ro"
    "xXJPr4uRO7SAXgvVQukFJ23_AYdbsWnOhcYpdtpF_pFLs5LmOGRHXKz7EypPpbgp-IOOLyB-9L3UPZl1qHJTAo51F5bC6PeUTr6h"
    "FzBy6bxmQF1zBLsRElT53KEJIaeZkjlwH2ZduZhaPeQ5ucRdFtRMZQkpiXQbobaYH1L6dHGrtBTbjGSUc5uTG1pcc1pV-G8N9kty"
    "qnzRIiCfF2YXwATma1WYOu7M1nvUZNZwH7cYI70XoHvWwcV9ZDIb10bjD_-WM_LYCCeEmdg3DKRq0Uoc4lg_v-mvzOkQYPIqgVzG"
    "uEg3kTx_ctyDyW7UK4p3mYZvLlAFOt-wijeU8oHK58VjbD8vQPCh6H2_t9VryoNFe8RPwwYi-62QzYv4iiBOx3308NjnVEuQNxU6"
    "ixPooq9SqzcdXHwzUK2kqQmTZLlx6qt-09rhJ3DSWM1dgtGrFXp2k9mw6tarSkb-bQkju9qTSHU0QDZRT0y_W-CDwELmZ_HqppRT"
    "owe21IX9ZbN8TdiiK_IOHF2F8lkb48HwCW2Dd7IsRubun-aCecjY4z66lsFxnMdCrFb-Zf8t6kSRKGUHrYnfnD7wyM5-_mpr0-4t"
    "rzX6tXz547J2gUzaAKZFtkWSNTC4TYeIlTiC_b2UYrvSYyG4w9lHcpHzUjgHQriLfCikdVZ6UKCfMOk1cY1zB-L-_Uo8a5DAA38B"
    "OUj6v4gXo3GRLk3FD6NffrSwgqLA1kIimDKStBJrwijcQCxYbEIv3uH6HQlZlxWvlJV41Q1c7jfd0zlyxf9KS0wzhahKwq5erOe4"
    "8IV-UvE-WAIanE-A4oaKpfRvNmwg-7mxX6K4P-HfEMYYUxas_ndB3PS5DF6sNLv6I-unUxztrjh6Nf5Ym6-uChz2sw21BMN9Iz4y"
    "5PliAY6KzBS9cpKvdrtAyUX9OHw_b6cH7wXOkMkar6Zu4Dd_fMpkzWh2-wIkzAU1A3lLkGgh5mfOvIt5iiAlgPUdVzRImrkANbfO"
    "S1k4VoOX_XmkFtO1zQ64njsVQPy8zmofP3K_miujvXbKp6ZhgisbvWnpJXpwn6KHIwgTsDBCAgRElKyiNNeni0D6uqXMTumgQOUt"
    "xGcei-_DoqgCVpij5AdMUjS0-YlvXDAHwpQGcwWAeeuLYrwpilp4VphguUhC_PTGRp6lEEYkgH44oqauI5CIBCRUqsxv1eO9DeJM"
    "Eqq3VvxnNbztuh3oUlxBEew65u__iYB14oUHsQsUz--rIyNEZyB_DOyBZuNPLgKgSPNy_frx9sNnEQYeqzxmqsygvureANISjPTZ"
    "cOskSauJR0ouRM1jMP7FFJ8alpQXUS6E-3_vUIh98cIcDURxxwvYVRq_g67xvPEw6jLBECLCrS30O8_lC6ncjOrDRdJUQ-g3xiB8"
    "K2Ehk-nk3yzEa2AgnZJ9whLj8FObbpsXnU2xOZaR27pt2MatoCOTnpofbIbCqoaadS18t01Si5DGIKS9H0PsL75FtyW36AKBVK2K"
    "jdDJXAeRcrnRb2y09Kfp9MecBvYK--wvxPu4QduHrjmfweZu3_o9XHCZi0UJVLBUl1ofXI1-AxB9E9lDurPhVqJ98MhS9ootX7pZ"
    "mkOMz5gdjeXe8y5CE2ZSVrmt6x-GTguWZZ_Sdezz5baCifo2zAtJrbtByn6Zc_KOG_zAmGILZsdh2UJtkv_zrGwE2dchbDlMAiM5"
    "68oWVtbAkPs1t4OKu51V65BO8B3o7zYRDWm1WxWwtUEm_pmdOFTRi2sBMQSgl0z52SHGjTWLWiQ7JS8yJFnXU6CaPFszAhMM2f-j"
)
