from ezt.commands import main

main()
