"""Who is there: the Center's officers and how they sign, using departments, their programs and addresses, what staff
have to do.

It knows no case's kind. How a case changes hands is ``tasks.case.hand_over``; what a department files about its
liaison officers, ``tasks.liaisons``.
"""
