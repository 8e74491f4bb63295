"""Loading: making new module objects from source, through a mapper that says what each import means."""
