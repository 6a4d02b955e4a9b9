"""Who is there: the Center's officers and how they sign, using departments, their programs and addresses, what
staff have to do.

It knows no case's kind. Who answers for a case is ``tasks.case.numbers``; what a department files about its liaison
officers, ``tasks.liaisons``.
"""
